//! One gzip member and nothing after it, metered.
//!
//! A second member, or bytes after the first, would be content that a different unpacker sees and this one
//! does not; both are refused.

use std::cell::Cell;
use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::rc::Rc;

use flate2::bufread::GzDecoder;
use minisign_verify::StreamVerifier;
use sha2::{Digest as _, Sha256};

use crate::error::{ArchiveError, Cause, Limit};
use crate::signature::Signed;
use crate::{Limits, Wanted};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Counts and hashes what was downloaded.
struct Packed<'w, R> {
    inner: R,
    hasher: Sha256,
    verifier: Option<StreamVerifier<'w>>,
    received: Rc<Cell<u64>>,
    cause: Cause,
}

impl<R: Read> Read for Packed<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf);
        let n = read.map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => self.cause.set(ArchiveError::Source(error.into())),
        })?;
        self.hasher.update(&buf[..n]);
        if let Some(verifier) = &mut self.verifier {
            verifier.update(&buf[..n]);
        }
        self.received.set(self.received.get() + n as u64);
        Ok(n)
    }
}

type Source<'w, R> = io::Chain<Cursor<Vec<u8>>, BufReader<Packed<'w, R>>>;

/// What was downloaded, once it has ended well.
pub(crate) struct Whole<'w> {
    pub(crate) digest: adf_types::Digest,
    pub(crate) unpacked: u64,
    pub(crate) verifier: Option<StreamVerifier<'w>>,
}

/// The unpacked archive as a `Read`.
pub(crate) struct Gunzip<'w, R: Read> {
    decoder: GzDecoder<Source<'w, R>>,
    received: Rc<Cell<u64>>,
    unpacked: u64,
    ended: bool,
    limits: Limits,
    cause: Cause,
}

impl<'w, R: Read> Gunzip<'w, R> {
    /// Looks at the first bytes before anything is made of them.
    pub(crate) fn new(
        source: R,
        content_type: Option<String>,
        wanted: &'w Wanted,
        cause: Cause,
    ) -> Result<Self, ArchiveError> {
        let received = Rc::new(Cell::new(0));
        let packed = Packed {
            inner: source,
            hasher: Sha256::new(),
            verifier: wanted.signed.as_ref().map(Signed::begin).transpose()?,
            received: received.clone(),
            cause: cause.clone(),
        };
        let mut source = BufReader::with_capacity(64 * 1024, packed);
        let mut start = Vec::new();
        let looked = source.by_ref().take(64).read_to_end(&mut start);
        looked.map_err(|e| cause.take_or(|| ArchiveError::Damaged(e.to_string())))?;
        check_start(&start, content_type)?;
        let decoder = GzDecoder::new(Cursor::new(start).chain(source));
        Ok(Self { decoder, received, unpacked: 0, ended: false, limits: wanted.limits, cause })
    }

    /// Whether the member's end was met.
    pub(crate) fn ended(&self) -> bool {
        self.ended
    }

    /// After the member's end: nothing may follow.
    pub(crate) fn finish(self) -> Result<Whole<'w>, ArchiveError> {
        let mut source = self.decoder.into_inner();
        let rest =
            source.fill_buf().map_err(|e| self.cause.take_or(|| ArchiveError::Damaged(e.to_string())))?;
        if rest.starts_with(&GZIP_MAGIC) {
            return Err(ArchiveError::Trailing("a second gzip member"));
        }
        if !rest.is_empty() {
            return Err(ArchiveError::Trailing("more bytes"));
        }
        let packed = source.into_inner().1.into_inner();
        let digest = adf_types::Digest::Sha256(packed.hasher.finalize().into());
        Ok(Whole { digest, unpacked: self.unpacked, verifier: packed.verifier })
    }

    fn check_limits(&self) -> Result<(), ArchiveError> {
        if self.unpacked > self.limits.unpacked {
            return Err(Limit::Unpacked(self.limits.unpacked).into());
        }
        let packed = self.received.get().max(1);
        if self.unpacked > self.limits.ratio_from && self.unpacked / packed > self.limits.ratio {
            return Err(Limit::Ratio(self.limits.ratio).into());
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

impl<R: Read> Read for Gunzip<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self.decoder.read(buf) {
            Ok(n) => {
                self.unpacked += n as u64;
                self.ended |= n == 0 && !buf.is_empty();
                self.check_limits().map_err(|e| self.cause.set(e))?;
                Ok(n)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
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
