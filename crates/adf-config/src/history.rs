//! Who changed which names, when and why.

use std::collections::BTreeMap;

use adf_store::{Action, Entry, Recorded, Store};
use adf_types::{AppName, ConfigName, ReleaseName};
use jiff::Timestamp;
use serde::Serialize;

use crate::error::ConfigError;
use crate::printer::Text;
use crate::text::plain;

/// The changes of an app's config, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct History {
    pub app: AppName,
    pub changes: Vec<ChangeView>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeView {
    pub id: String,
    pub at: Timestamp,
    pub by: String,
    pub why: Option<String>,
    /// Whether the author overruled an objection.
    pub forced: bool,
    pub action: Action,
    /// The release whose Overlay was changed; nothing for Base.
    pub release: Option<ReleaseName>,
    pub version: u64,
    pub before: BTreeMap<ConfigName, Was>,
}

/// What a name was before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Was {
    Absent,
    Value(String),
    /// Its value is not shown.
    Secret,
    /// Hidden from the release by its Overlay.
    Hidden,
}

impl From<Option<Entry>> for Was {
    fn from(entry: Option<Entry>) -> Self {
        match entry {
            None => Self::Absent,
            Some(Entry::Value(value)) => Self::Value(value.expose().to_owned()),
            Some(Entry::Secret(_)) => Self::Secret,
            Some(Entry::Unset) => Self::Hidden,
        }
    }
}

impl std::fmt::Display for Was {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Absent => f.write_str("was not there"),
            Self::Value(value) => write!(f, "was {}", plain(value)),
            Self::Secret => f.write_str("was a secret"),
            Self::Hidden => f.write_str("was hidden"),
        }
    }
}

impl Text for History {
    /// A line for each change, and below it one for each of its names.
    fn text(&self) -> String {
        self.changes.iter().map(ChangeView::text).collect()
    }
}

impl ChangeView {
    fn text(&self) -> String {
        let layer = self.release.as_ref().map_or("Base", ReleaseName::as_str);
        let why = self.why.as_ref().map(|why| format!("  \"{}\"", plain(why))).unwrap_or_default();
        let forced = if self.forced { " (forced)" } else { "" };
        let by = plain(&self.by);
        let head = format!("{}  {}  {} {layer}{forced}  {by}{why}\n", self.id, self.at, self.action);
        let names = self.before.iter().map(|(name, was)| match self.action {
            Action::Reveal | Action::Rekey => format!("    {name}\n"),
            _ => format!("    {name} {was}\n"),
        });
        std::iter::once(head).chain(names).collect()
    }
}

/// The last `limit` changes, or of those the ones that had to do with `name`.
pub async fn history(
    store: &Store,
    app: &AppName,
    name: Option<&ConfigName>,
    limit: usize,
) -> Result<History, ConfigError> {
    // Which changes had a name is known only once they are read.
    let read = if name.is_some() { usize::MAX } else { limit };
    let changes = store.history(app, read).await?.into_iter().filter_map(|record| view(record, name));
    Ok(History { app: app.clone(), changes: changes.take(limit).collect() })
}

fn view(record: Recorded, only: Option<&ConfigName>) -> Option<ChangeView> {
    let wanted = |name: &ConfigName| only.is_none_or(|only| only == name);
    let before = record.before.into_iter().filter(|(name, _)| wanted(name));
    let before: BTreeMap<_, _> = before.map(|(name, was)| (name, Was::from(was))).collect();
    (!before.is_empty()).then_some(ChangeView {
        id: record.id,
        at: record.at,
        by: record.by,
        why: record.why,
        forced: record.forced,
        action: record.action,
        release: record.release,
        version: record.version,
        before,
    })
}
