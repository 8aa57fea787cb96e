//! Entries on their way out: fresh headers, with nothing of the archive's own but path, size and time.
//!
//! Owner, group and odd mode bits are dropped; files are 0644, or 0755 where the owner may execute them.

use std::io::{self, Read, Write as _};

use tar::{Builder, EntryType, Header};

use crate::error::{ArchiveError, tar_error};
use crate::gate::{Gate, Outlet};

const BLOCK: usize = 512;

pub(crate) struct Emit<'g, O: Outlet> {
    out: Builder<&'g mut Gate<O>>,
}

impl<'g, O: Outlet> Emit<'g, O> {
    pub(crate) fn new(gate: &'g mut Gate<O>) -> Self {
        Self { out: Builder::new(gate) }
    }

    pub(crate) fn gate(&mut self) -> &mut Gate<O> {
        self.out.get_mut()
    }

    pub(crate) fn folder(&mut self, path: &str, mtime: u64) -> Result<(), ArchiveError> {
        let mut header = fresh(EntryType::Directory, 0o755, 0, mtime);
        self.out.append_data(&mut header, format!("{path}/"), io::empty()).map_err(tar_error)
    }

    /// The content follows as it is read, straight into the gate; a short one is an error of the caller's to tell.
    pub(crate) fn file(
        &mut self,
        path: &str,
        executable: bool,
        size: u64,
        mtime: u64,
        content: &mut impl Read,
    ) -> Result<(), ArchiveError> {
        let mode = if executable { 0o755 } else { 0o644 };
        let mut header = fresh(EntryType::Regular, mode, size, mtime);
        self.out.append_data(&mut header, path, io::empty()).map_err(tar_error)?;
        let gate = self.out.get_mut();
        let copied = gate.fill(content).map_err(tar_error)?;
        let rest = usize::try_from(copied % BLOCK as u64).unwrap_or_default();
        let padding = rest.next_multiple_of(BLOCK) - rest;
        gate.write_all(&[0; BLOCK][..padding]).map_err(tar_error)
    }

    pub(crate) fn link(&mut self, path: &str, target: &str, mtime: u64) -> Result<(), ArchiveError> {
        let mut header = fresh(EntryType::Symlink, 0o777, 0, mtime);
        self.out.append_link(&mut header, path, target).map_err(tar_error)
    }

    /// Writes the end marker; without it, whatever is held back stays held back.
    pub(crate) fn finish(mut self, passed: Result<(), ArchiveError>) -> Result<(), ArchiveError> {
        let finished = passed.and_then(|()| self.out.finish().map_err(tar_error));
        if finished.is_err() {
            // A tar builder writes its end marker when it is dropped; it must not reach the build.
            self.out.get_mut().close();
        }
        finished
    }
}

fn fresh(kind: EntryType, mode: u32, size: u64, mtime: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(mtime);
    header.set_size(size);
    header
}
