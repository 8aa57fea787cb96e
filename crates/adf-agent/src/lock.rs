//! One agent per instance: a lock on `<run_dir>/lock`, held as long as the process lives.
//!
//! The rule: the lock is the kernel's, so that a killed agent leaves nothing to clean up.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::private;

/// Held until it is dropped.
#[derive(Debug)]
pub struct RunLock {
    _file: Flock<File>,
}

#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error("E182 another adf-agent (pid {pid}) is running and holds {path}")]
    Held { pid: String, path: PathBuf },
    #[error("E192 cannot use {path}")]
    Io { path: PathBuf, source: std::io::Error },
}

/// Takes the lock without waiting.
pub fn lock(run_dir: &Path) -> Result<RunLock, LockError> {
    let path = run_dir.join("lock");
    let io = |source| LockError::Io { path: path.clone(), source };
    private::folder(run_dir).map_err(io)?;
    let mut file = private::open(&path).map_err(io)?;
    let mut pid = String::new();
    file.read_to_string(&mut pid).map_err(io)?;
    let mut held = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(held) => held,
        Err((_, Errno::EWOULDBLOCK)) => return Err(LockError::Held { pid: pid.trim().to_owned(), path }),
        Err((_, errno)) => return Err(io(errno.into())),
    };
    held.set_len(0).and_then(|()| held.rewind()).map_err(io)?;
    writeln!(held, "{}", std::process::id()).map_err(io)?;
    Ok(RunLock { _file: held })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fault_42_the_second_agent_is_told_who_holds_the_lock() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let first = lock(dir.path()).expect("free");
        let error = lock(dir.path()).expect_err("held").to_string();
        assert!(
            error.starts_with(&format!("E182 another adf-agent (pid {})", std::process::id())),
            "{error}"
        );
        drop(first);
        lock(dir.path()).expect("free again");
    }
}
