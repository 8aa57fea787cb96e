//! The content of one file on its way through: counted and, where a `tree:` digest is wanted, hashed.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use crate::error::{ArchiveError, Limit, tar_error};

pub(crate) struct Content<R> {
    inner: R,
    read: u64,
    hasher: Option<Sha256>,
}

impl<R: Read> Content<R> {
    pub(crate) fn new(inner: R, hashed: bool) -> Self {
        Self { inner, read: 0, hasher: hashed.then(Sha256::new) }
    }

    /// How much was read, and its hash.
    pub(crate) fn finish(self) -> (u64, Option<[u8; 32]>) {
        (self.read, self.hasher.map(|hasher| hasher.finalize().into()))
    }
}

impl<R: Read> Read for Content<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.read += n as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buf[..n]);
        }
        Ok(n)
    }
}

/// Reads a small file of `size` bytes into memory.
pub(crate) fn text(
    file: &'static str,
    limit: u64,
    size: u64,
    content: &mut impl Read,
) -> Result<String, ArchiveError> {
    if size > limit {
        return Err(Limit::File { file, limit }.into());
    }
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes).map_err(tar_error)?;
    if (bytes.len() as u64) < size {
        return Err(ArchiveError::EndsInside(file.to_owned()));
    }
    String::from_utf8(bytes).map_err(|_| ArchiveError::entry(file, "is not UTF-8 text"))
}
