//! One gzip member and nothing after it, metered.
//!
//! A second member, or bytes after the first, would be content that a different unpacker sees and this one
//! does not; both are refused.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

use flate2::bufread::GzDecoder;
use sha2::{Digest as _, Sha256};

use crate::Limits;
use crate::error::{ArchiveError, Cause};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Counts and hashes what was downloaded.
struct Packed<R> {
    inner: R,
    hasher: Sha256,
    received: Rc<Cell<u64>>,
    cause: Cause,
}

impl<R: Read> Read for Packed<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf);
        let n = read.map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => self.cause.set(ArchiveError::Source(error.into())),
        })?;
        self.hasher.update(&buf[..n]);
        self.received.set(self.received.get() + n as u64);
        Ok(n)
    }
}

type Source<R> = io::Chain<Cursor<Vec<u8>>, BufReader<Packed<R>>>;

/// The unpacked archive as a `Read`.
pub(crate) struct Gunzip<R: Read> {
    decoder: GzDecoder<Source<R>>,
    received: Rc<Cell<u64>>,
    unpacked: u64,
    ended: bool,
    limits: Limits,
    cause: Cause,
}

impl<R: Read> Gunzip<R> {
    /// Looks at the first bytes before anything is made of them.
    pub(crate) fn new(
        source: R,
        content_type: Option<String>,
        limits: Limits,
        cause: Cause,
    ) -> Result<Self, ArchiveError> {
        let received = Rc::new(Cell::new(0));
        let packed =
            Packed { inner: source, hasher: Sha256::new(), received: received.clone(), cause: cause.clone() };
        let mut source = BufReader::with_capacity(64 * 1024, packed);
        let mut start = Vec::new();
        let looked = source.by_ref().take(64).read_to_end(&mut start);
        looked.map_err(|e| cause.take_or(|| ArchiveError::Damaged(e.to_string())))?;
        check_start(&start, content_type)?;
        let decoder = GzDecoder::new(Cursor::new(start).chain(source));
        Ok(Self { decoder, received, unpacked: 0, ended: false, limits, cause })
    }

    /// Whether the member's end was met.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// After the member's end: nothing may follow. Tells the digest of what was downloaded.
    pub(crate) fn finish(self) -> Result<(adf_types::Digest, u64), ArchiveError> {
        let mut source = self.decoder.into_inner();
        let rest =
            source.fill_buf().map_err(|e| self.cause.take_or(|| ArchiveError::Damaged(e.to_string())))?;
        if rest.starts_with(&GZIP_MAGIC) {
            return Err(ArchiveError::Trailing("a second gzip member"));
        }
        if !rest.is_empty() {
            return Err(ArchiveError::Trailing("more bytes"));
        }
        let (_, packed) = source.into_inner();
        let digest = packed.into_inner().hasher.finalize().into();
        Ok((adf_types::Digest::Sha256(digest), self.unpacked))
    }

    fn check_limits(&self) -> Result<(), ArchiveError> {
        if self.unpacked > self.limits.unpacked {
            return Err(ArchiveError::Limit(format!(
                "it unpacks to more than {} bytes",
                self.limits.unpacked
            )));
        }
        let packed = self.received.get().max(1);
        if self.unpacked > self.limits.ratio_from && self.unpacked / packed > self.limits.ratio {
            return Err(ArchiveError::Limit(format!(
                "it unpacks to more than {} times its size",
                self.limits.ratio
            )));
        }
        Ok(())
    }

    fn classify(&self, error: &io::Error) -> ArchiveError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => ArchiveError::Truncated { received: self.received.get() },
            _ => ArchiveError::Damaged(error.to_string()),
        }
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.decoder.read(buf) {
            Ok(n) => {
                self.unpacked += n as u64;
                self.ended |= n == 0 && !buf.is_empty();
                self.check_limits().map_err(|e| self.cause.set(e))?;
                Ok(n)
            }
            Err(error) => Err(self.cause.set(self.classify(&error))),
        }
    }
}

fn check_start(start: &[u8], content_type: Option<String>) -> Result<(), ArchiveError> {
    if start.is_empty() {
        return Err(ArchiveError::Empty);
    }
    if start.starts_with(&GZIP_MAGIC) {
        return Ok(());
    }
    let text = String::from_utf8_lossy(start);
    let html = content_type.as_deref().is_some_and(|t| t.starts_with("text/html"));
    if html || text.trim_start().starts_with('<') {
        return Err(ArchiveError::Html { content_type });
    }
    let start = text.chars().take(16).collect::<String>().escape_debug().to_string();
    Err(ArchiveError::NotGzip { content_type, start })
}
