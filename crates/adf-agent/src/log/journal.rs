//! The journal: each line with the fields by which an operator finds it.
//!
//! `journalctl ADF_APP=web ADF_STAGE=health`. The fields belong to the process, not to a line: [`tag`] sets them once
//! they are known, and every line from then on has them, whoever writes it.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::sync::{Mutex, OnceLock, PoisonError};

use tracing_journald::{Layer, Priority, PriorityMappings};
use tracing_subscriber::layer::Layered;
use tracing_subscriber::{EnvFilter, Registry, reload};

/// What the journal's layer lies upon.
pub(super) type Below = Layered<EnvFilter, Registry>;

type Handle = reload::Handle<Layer, Below>;

/// Set when log lines go to the journal, and not otherwise.
static JOURNAL: OnceLock<Handle> = OnceLock::new();

/// The fields so far.
static FIELDS: Mutex<BTreeMap<&'static str, String>> = Mutex::new(BTreeMap::new());

/// Sets fields of every line from now on: `ADF_APP`, `ADF_RELEASE`, `ADF_STAGE`, `ADF_DEPLOY`, `ADF_INSTANCE`.
pub fn tag(fields: impl IntoIterator<Item = (&'static str, String)>) {
    let Some(journal) = JOURNAL.get() else { return };
    let mut known = FIELDS.lock().unwrap_or_else(PoisonError::into_inner);
    known.extend(fields);
    // A journal that cannot be opened again keeps the layer that it has.
    if let Ok(layer) = tagged(&known) {
        let _ = journal.reload(layer);
    }
}

/// The layer, to be put upon the filter.
pub(super) fn layer() -> std::io::Result<reload::Layer<Layer, Below>> {
    let (layer, handle) = reload::Layer::new(tagged(&BTreeMap::new())?);
    let _ = JOURNAL.set(handle);
    Ok(layer)
}

fn tagged(fields: &BTreeMap<&'static str, String>) -> std::io::Result<Layer> {
    let priorities =
        PriorityMappings { info: Priority::Informational, debug: Priority::Debug, ..PriorityMappings::new() };
    Ok(Layer::new()?
        .with_field_prefix(None)
        .with_syslog_identifier("adf-agent".to_owned())
        .with_priority_mappings(priorities)
        .with_custom_fields(fields))
}

/// Whether stderr is the journal, as systemd says: `JOURNAL_STREAM` names the device and inode that it connected. A
/// child whose stderr was redirected inherits the variable, not the stream. Source: `systemd.exec(5)`.
pub(super) fn is_stderr() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    // Every open descriptor of this process is a link here; stderr needs no unsafe call to be asked.
    let Ok(stderr) = std::fs::metadata("/proc/self/fd/2") else { return false };
    stream == format!("{}:{}", stderr.dev(), stderr.ino())
}
