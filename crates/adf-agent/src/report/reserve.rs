//! A file that holds room for the last receipt (fault 6): given up when the disk of the run folder is full.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Some hundred receipts. Written out, because a hole in a file holds no room.
const SIZE: usize = 1 << 20;

pub(super) struct Reserve(PathBuf);

impl Reserve {
    /// Takes the room, where it has not been taken at an earlier start.
    pub(super) fn hold(run_dir: &Path) -> Self {
        let path = run_dir.join("reserve");
        let held = std::fs::metadata(&path).is_ok_and(|file| file.len() == SIZE as u64);
        if !held && let Err(error) = fill(&path) {
            tracing::debug!("no room was reserved for the last receipt: {error}");
        }
        Self(path)
    }

    /// Writes; once more in the reserve's place when the disk is full.
    pub(super) fn write(&self, mut write: impl FnMut() -> io::Result<()>) -> io::Result<()> {
        match write() {
            Err(error)
                if error.kind() == io::ErrorKind::StorageFull && std::fs::remove_file(&self.0).is_ok() =>
            {
                write()
            }
            other => other,
        }
    }
}

fn fill(path: &Path) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(&vec![0; SIZE])?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn fault_06_a_full_disk_still_takes_a_receipt_because_room_was_kept_for_it() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let reserve = Reserve::hold(dir.path());
        let file = dir.path().join("reserve");
        let blocks = std::fs::metadata(&file).expect("held").blocks();
        assert!(blocks * 512 >= SIZE as u64, "a hole holds no room");
        let mut tried = 0;
        let full = || {
            tried += 1;
            if file.exists() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        };
        assert!(reserve.write(full).is_ok());
        assert_eq!((tried, file.exists()), (2, false));
    }

    #[test]
    fn another_error_does_not_cost_the_reserve() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let reserve = Reserve::hold(dir.path());
        let denied = || Err(io::ErrorKind::PermissionDenied.into());
        assert!(reserve.write(denied).is_err());
        assert!(dir.path().join("reserve").exists());
    }
}
