//! The way out of the pipeline: holds the head of the stream until adf.toml is known, because the build
//! request's query needs it, and the last chunk until the archive is verified.

use std::io::{self, Read, Write};

use bytes::Bytes;

use crate::Settings;
use crate::error::{ArchiveError, Cause};

/// The size of one piece of the stream, and so of what is held back at the end.
const CHUNK: usize = 64 * 1024;

/// Where pieces go.
pub trait Outlet {
    /// Called once, before the first chunk: the build may start now.
    fn head(&mut self, settings: Settings);
    /// Gives a chunk away; fails when nobody reads any more.
    fn chunk(&mut self, chunk: Bytes) -> Result<(), ArchiveError>;
    /// The stream is whole and verified.
    fn end(&mut self) -> Result<(), ArchiveError>;
}

/// Whether a file that decides about the build came in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    Fits,
    /// Something was let through that it decides about.
    Late,
    /// An earlier pass met another one.
    Changed,
}

enum Head {
    /// adf.toml has not been seen; nothing was given away.
    Held { chunks: Vec<Bytes>, size: usize },
    /// The build request may be open, without an adf.toml.
    Without,
    /// The build request may be open; adf.toml must be this.
    Given(Box<Settings>),
}

pub(crate) struct Gate<O> {
    outlet: O,
    /// The chunk that is being filled, always [`CHUNK`] long.
    buffer: Vec<u8>,
    filled: usize,
    head: Head,
    max_head: usize,
    last: Option<Bytes>,
    closed: bool,
    cause: Cause,
}

impl<O: Outlet> Gate<O> {
    pub(crate) fn new(outlet: O, known: Option<Settings>, max_head: usize, cause: Cause) -> Self {
        let head = Head::Held { chunks: Vec::new(), size: 0 };
        let buffer = vec![0; CHUNK];
        let mut gate = Self { outlet, buffer, filled: 0, head, max_head, last: None, closed: false, cause };
        if let Some(settings) = known {
            gate.outlet.head(settings.clone());
            gate.head = Head::Given(Box::new(settings));
        }
        gate
    }

    /// adf.toml was met.
    pub(crate) fn settings(&mut self, found: &Settings) -> Result<Fit, ArchiveError> {
        match &self.head {
            Head::Held { .. } => {
                self.give_head(found.clone(), Head::Given(Box::new(found.clone())))?;
                Ok(Fit::Fits)
            }
            Head::Given(known) if **known == *found => Ok(Fit::Fits),
            Head::Given(_) => Ok(Fit::Changed),
            Head::Without => Ok(Fit::Late),
        }
    }

    /// Nothing more is let through; what is held stays.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// The archive is verified: gives away what was held back.
    pub(crate) fn release(mut self) -> Result<(), ArchiveError> {
        if let Head::Held { .. } = self.head {
            self.give_head(Settings::default(), Head::Without)?;
        }
        self.buffer.truncate(self.filled);
        let rest = Bytes::from(self.buffer);
        for chunk in self.last.take().into_iter().chain(Some(rest)).filter(|c| !c.is_empty()) {
            self.outlet.chunk(chunk)?;
        }
        self.outlet.end()
    }

    /// Passes on all that `from` gives, without a copy in between; tells how much that was.
    pub(crate) fn fill(&mut self, from: &mut impl Read) -> io::Result<u64> {
        let mut total = 0;
        loop {
            let read = from.read(&mut self.buffer[self.filled..]);
            match read {
                Ok(0) => return Ok(total),
                Ok(n) => {
                    self.filled(n)?;
                    total += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn filled(&mut self, n: usize) -> io::Result<()> {
        self.filled += n;
        if self.filled < CHUNK {
            return Ok(());
        }
        let chunk = Bytes::from(std::mem::replace(&mut self.buffer, vec![0; CHUNK]));
        self.filled = 0;
        self.push(chunk).map_err(|e| self.cause.set(e))
    }

    fn give_head(&mut self, settings: Settings, next: Head) -> Result<(), ArchiveError> {
        self.outlet.head(settings);
        match std::mem::replace(&mut self.head, next) {
            Head::Held { chunks, .. } => chunks.into_iter().try_for_each(|chunk| self.push(chunk)),
            Head::Without | Head::Given(_) => Ok(()),
        }
    }

    fn push(&mut self, chunk: Bytes) -> Result<(), ArchiveError> {
        if let Head::Held { chunks, size } = &mut self.head {
            *size += chunk.len();
            chunks.push(chunk);
            let full = *size > self.max_head;
            return if full { self.give_head(Settings::default(), Head::Without) } else { Ok(()) };
        }
        match self.last.replace(chunk) {
            Some(earlier) => self.outlet.chunk(earlier),
            None => Ok(()),
        }
    }
}

impl<O: Outlet> Write for Gate<O> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Err(io::Error::other("the gate is closed"));
        }
        let n = buf.len().min(CHUNK - self.filled);
        self.buffer[self.filled..self.filled + n].copy_from_slice(&buf[..n]);
        self.filled(n)?;
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
