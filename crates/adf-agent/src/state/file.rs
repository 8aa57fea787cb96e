//! One small file that is there whole or not at all, whenever the power goes.
//!
//! The first line is a checksum of the rest, because a disk may also give back what was never written.

use std::path::{Path, PathBuf};
use std::{fs, io};

use adf_types::Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::private;

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
    let bytes = match private::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(StateFileError::Read { path: path.to_owned(), source }),
    };
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
    replace(path, value).map_err(|source| StateFileError::Write { path: path.to_owned(), source })
}

fn replace<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    private::folder(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
    let text = serde_json::to_string(value)?;
    private::replace(path, format!("{}\n{text}", Digest::of_bytes(text.as_bytes())).as_bytes())
}

/// Renames a damaged file, so that the next start does not meet it; tells where it is kept.
pub(super) fn set_aside(path: &Path) -> String {
    let kept = path.with_extension(format!("corrupt-{}", jiff::Timestamp::now().as_second()));
    match fs::rename(path, &kept) {
        Ok(()) => format!("; kept as {}", kept.display()),
        Err(error) => format!("; it could not be moved away: {error}"),
    }
}
