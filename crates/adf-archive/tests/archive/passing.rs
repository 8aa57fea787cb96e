//! One pass over an archive, and what came out of it.
//!
//! The oracle is the outlet: what would have reached Docker, and whether the stream was ended (only an ended
//! stream is a build).

use std::sync::{Arc, Mutex};

use adf_archive::{ArchiveError, Outlet, Settings, Summary, Wanted, repack};
use bytes::Bytes;

/// What came out at the other end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) head: Option<Settings>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) ended: bool,
}

struct Recorder(Arc<Mutex<Seen>>);

impl Outlet for Recorder {
    fn head(&mut self, settings: Settings) {
        self.0.lock().expect("one thread").head = Some(settings);
    }

    fn chunk(&mut self, chunk: Bytes) -> Result<(), ArchiveError> {
        self.0.lock().expect("one thread").bytes.extend_from_slice(&chunk);
        Ok(())
    }

    fn end(&mut self) -> Result<(), ArchiveError> {
        self.0.lock().expect("one thread").ended = true;
        Ok(())
    }
}

pub(crate) fn pass(archive: &[u8], wanted: &Wanted) -> (Result<Summary, ArchiveError>, Seen) {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let result = repack(archive, None, wanted, Recorder(seen.clone()));
    let seen = seen.lock().expect("one thread").clone();
    assert_eq!(result.is_ok(), seen.ended, "only a verified archive may complete a build: {result:?}");
    (result, seen)
}

pub(crate) fn refused(archive: &[u8]) -> String {
    pass(archive, &Wanted::default()).0.expect_err("must be refused").to_string()
}

/// `path mode owner kind` of every entry, as another unpacker reads them.
pub(crate) fn listing(tar: &[u8]) -> Vec<String> {
    let mut archive = tar::Archive::new(tar);
    let entries = archive.entries().expect("a tar");
    entries
        .map(|e| {
            let e = e.expect("an entry");
            let h = e.header();
            let (mode, uid) = (h.mode().expect("a mode"), h.uid().expect("an owner"));
            format!("{} {mode:o} {uid} {:?}", e.path().expect("a path").display(), h.entry_type())
        })
        .collect()
}

/// An outlet that keeps nothing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counter {
    pub(crate) bytes: u64,
    pub(crate) ended: bool,
}

impl Outlet for &mut Counter {
    fn head(&mut self, _: Settings) {}

    fn chunk(&mut self, chunk: Bytes) -> Result<(), ArchiveError> {
        self.bytes += chunk.len() as u64;
        Ok(())
    }

    fn end(&mut self) -> Result<(), ArchiveError> {
        self.ended = true;
        Ok(())
    }
}
