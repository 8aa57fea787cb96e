//! One small file that is there whole or not at all, whenever the power goes.
//!
//! Written beside, flushed, renamed, and the folder flushed as well: without that last step the rename itself may be
//! lost. The first line is a checksum of the rest, because a disk may also give back what was never written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use adf_types::Digest;
use nix::libc::O_NOFOLLOW;
use serde::Serialize;
use serde::de::DeserializeOwned;

#[derive(Debug, thiserror::Error)]
pub enum StateFileError {
    #[error("{path} cannot be read: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} cannot be written: {source}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{path} is damaged: {problem}")]
    Damaged { path: PathBuf, problem: String },
}

/// Nothing when there is no such file.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, StateFileError> {
    let mut bytes = Vec::new();
    // A link that somebody laid here is not followed.
    match OpenOptions::new().read(true).custom_flags(O_NOFOLLOW).open(path) {
        Ok(mut file) => file.read_to_end(&mut bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => Err(error),
    }
    .map_err(|source| StateFileError::Read { path: path.to_owned(), source })?;
    let damaged =
        |problem: &str| StateFileError::Damaged { path: path.to_owned(), problem: problem.to_owned() };
    let split = bytes.iter().position(|b| *b == b'\n').ok_or_else(|| damaged("it has no checksum"))?;
    let (checksum, body) = (&bytes[..split], &bytes[split + 1..]);
    if checksum != Digest::of_bytes(body).to_string().as_bytes() {
        return Err(damaged("its checksum does not hold"));
    }
    serde_json::from_slice(body).map(Some).map_err(|error| damaged(&error.to_string()))
}

pub(super) fn write<T: Serialize>(path: &Path, value: &T) -> Result<(), StateFileError> {
    let text = serde_json::to_string(value).map_err(io::Error::from);
    text.and_then(|text| replace(path, &format!("{}\n{text}", Digest::of_bytes(text.as_bytes()))))
        .map_err(|source| StateFileError::Write { path: path.to_owned(), source })
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let beside = path.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).custom_flags(O_NOFOLLOW);
    let mut file = options.open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    File::open(folder)?.sync_all()
}

/// Renames a damaged file, so that the next start does not meet it; tells where it is kept.
pub(super) fn set_aside(path: &Path) -> String {
    let kept = path.with_extension(format!("corrupt-{}", jiff::Timestamp::now().as_second()));
    match fs::rename(path, &kept) {
        Ok(()) => format!("; kept as {}", kept.display()),
        Err(error) => format!("; it could not be moved away: {error}"),
    }
}
