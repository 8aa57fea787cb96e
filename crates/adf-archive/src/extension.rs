//! GNU long names and PAX records: headers that say more about the next entry.
//!
//! The tar crate would fold these into the entry by itself, but reads them whole whatever their size and
//! lets the last of two contradicting records win. Here each is bounded, and whatever unpackers differ about is
//! refused: two headers of a kind, headers of both kinds, records that change what an entry is.

use std::io::Read;

use crate::Limits;
use crate::error::{ArchiveError, Limit};

/// PAX records that change how other records or entries are read, in at least one reader.
const REFUSED: [&[u8]; 4] = [b"GNU.", b"SCHILY.realsize", b"SCHILY.filetype", b"hdrcharset"];

/// What extension headers said about the next entry.
#[derive(Debug, Default)]
pub(crate) struct Extension {
    pub(crate) path: Option<Vec<u8>>,
    pub(crate) link: Option<Vec<u8>>,
    pub(crate) size: Option<u64>,
    pax: bool,
}

impl Extension {
    /// Whether a header asks for an entry behind it.
    pub(crate) fn is_some(&self) -> bool {
        self.pax || self.path.is_some() || self.link.is_some()
    }

    /// A GNU `L` header.
    pub(crate) fn gnu_path(&mut self, entry: impl Read, limits: &Limits) -> Result<(), ArchiveError> {
        let name = self.gnu(entry, limits)?;
        set(&mut self.path, name, "path")
    }

    /// A GNU `K` header.
    pub(crate) fn gnu_link(&mut self, entry: impl Read, limits: &Limits) -> Result<(), ArchiveError> {
        let name = self.gnu(entry, limits)?;
        set(&mut self.link, name, "link target")
    }

    fn gnu(&self, entry: impl Read, limits: &Limits) -> Result<Vec<u8>, ArchiveError> {
        let mut name = read(entry, limits)?;
        if self.pax {
            return Err(ArchiveError::Tar("an entry with both GNU and PAX headers".to_owned()));
        }
        while name.last() == Some(&0) {
            name.pop();
        }
        Ok(name)
    }

    /// A PAX `x` header.
    pub(crate) fn pax(&mut self, entry: impl Read, limits: &Limits) -> Result<(), ArchiveError> {
        if self.is_some() {
            return Err(ArchiveError::Tar("an entry with two extension headers".to_owned()));
        }
        self.pax = true;
        let bytes = read(entry, limits)?;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (key, value, behind) = record(rest)
                .ok_or_else(|| ArchiveError::Tar("a PAX header that is no list of records".to_owned()))?;
            self.take(key, value)?;
            rest = behind;
        }
        Ok(())
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), ArchiveError> {
        match key {
            b"path" => set(&mut self.path, value.to_vec(), "path"),
            b"linkpath" => set(&mut self.link, value.to_vec(), "link target"),
            b"size" => {
                let size =
                    decimal(value).ok_or_else(|| ArchiveError::Tar("a size that is no number".to_owned()))?;
                set(&mut self.size, size, "size")
            }
            key if key.starts_with(b"GNU.sparse") => {
                Err(ArchiveError::Tar("a sparse file; pack without --sparse".to_owned()))
            }
            key if REFUSED.iter().any(|refused| key.starts_with(refused)) => Err(ArchiveError::Tar(format!(
                "a PAX record {} that readers differ about",
                key.escape_ascii()
            ))),
            _ => Ok(()),
        }
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

/// The first record, `LENGTH KEY=VALUE\n`, and what is behind it. The length counts itself and the newline.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let blank = bytes.iter().position(|b| *b == b' ')?;
    let length = usize::try_from(decimal(&bytes[..blank])?).ok()?;
    if length <= blank + 1 || length > bytes.len() {
        return None;
    }
    let (record, behind) = bytes.split_at(length);
    let text = record[blank + 1..].strip_suffix(b"\n")?;
    let equals = text.iter().position(|b| *b == b'=').filter(|at| *at > 0)?;
    Some((&text[..equals], &text[equals + 1..], behind))
}

/// Digits alone, without signs or leading zeros.
fn decimal(digits: &[u8]) -> Option<u64> {
    let plain = digits.iter().all(u8::is_ascii_digit) && (digits.len() == 1 || !digits.starts_with(b"0"));
    plain.then(|| str::from_utf8(digits).ok()?.parse().ok())?
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
        return Err(Limit::Extension(limits.extension).into());
    }
    Ok(bytes)
}
