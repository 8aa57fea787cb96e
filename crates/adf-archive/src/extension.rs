//! GNU long names and PAX records: headers that say more about the next entry.
//!
//! The tar crate would fold these into the entry by itself, but reads them whole whatever their size and
//! lets the last of two contradicting records win. Here each is bounded, and a contradiction is refused:
//! unpackers differ in which one they believe.

use std::io::Read;

use crate::Limits;
use crate::error::ArchiveError;

/// What extension headers said about the next entry.
#[derive(Debug, Default)]
pub(crate) struct Extension {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
}

impl Extension {
    /// A GNU `L` header.
    pub(crate) fn gnu_path(&mut self, entry: impl Read, limits: &Limits) -> Result<(), ArchiveError> {
        let name = without_nul(read(entry, limits)?);
        set(&mut self.path, name, "path")
    }

    /// A GNU `K` header.
    pub(crate) fn gnu_link(&mut self, entry: impl Read, limits: &Limits) -> Result<(), ArchiveError> {
        let name = without_nul(read(entry, limits)?);
        set(&mut self.link, name, "link target")
    }

    /// A PAX `x` header.
    pub(crate) fn pax(&mut self, entry: impl Read, limits: &Limits) -> Result<(), ArchiveError> {
        let bytes = read(entry, limits)?;
        for record in tar::PaxExtensions::new(&bytes) {
            let record = record.map_err(|e| ArchiveError::Tar(e.to_string()))?;
            match record.key_bytes() {
                b"path" => set(&mut self.path, record.value_bytes().to_vec(), "path")?,
                b"linkpath" => set(&mut self.link, record.value_bytes().to_vec(), "link target")?,
                b"size" => {
                    let size = record.value().ok().and_then(|v| v.parse().ok());
                    let size =
                        size.ok_or_else(|| ArchiveError::Tar("a size that is no number".to_owned()))?;
                    set(&mut self.size, size, "size")?;
                }
                key if key.starts_with(b"GNU.sparse") => {
                    return Err(ArchiveError::Tar("a sparse file; pack without --sparse".to_owned()));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A PAX `g` header holds for all entries; `git archive` writes one with the commit. Anything that would
/// change what entries are is refused.
pub(crate) fn check_global(entry: impl Read, limits: &Limits) -> Result<(), ArchiveError> {
    let mut seen = Extension::default();
    seen.pax(entry, limits)?;
    if seen.path.is_some() || seen.link.is_some() || seen.size.is_some() {
        return Err(ArchiveError::Tar("a global header that names a path or size".to_owned()));
    }
    Ok(())
}

fn set<T>(slot: &mut Option<T>, value: T, what: &str) -> Result<(), ArchiveError> {
    if slot.is_some() {
        return Err(ArchiveError::Tar(format!("an entry with two {what}s")));
    }
    *slot = Some(value);
    Ok(())
}

fn read(entry: impl Read, limits: &Limits) -> Result<Vec<u8>, ArchiveError> {
    let mut bytes = Vec::new();
    let read = entry.take(limits.extension + 1).read_to_end(&mut bytes);
    read.map_err(|e| ArchiveError::Tar(e.to_string()))?;
    if bytes.len() as u64 > limits.extension {
        return Err(ArchiveError::Limit(format!(
            "it has a name or header longer than {} bytes",
            limits.extension
        )));
    }
    Ok(bytes)
}

fn without_nul(mut name: Vec<u8>) -> Vec<u8> {
    while name.last() == Some(&0) {
        name.pop();
    }
    name
}
