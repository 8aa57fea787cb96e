//! The way out of the pipeline: holds the head of the stream until adf.toml is known, because the build
//! request's query needs it, and the last chunk until the archive is verified.

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};

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

enum Head {
    /// adf.toml has not been seen; nothing was given away.
    Held { chunks: Vec<Bytes>, size: usize },
    /// The build request may be open; adf.toml must be this.
    Given { settings: Box<Settings> },
}

pub(crate) struct Gate<O> {
    outlet: O,
    buffer: BytesMut,
    head: Head,
    max_head: usize,
    last: Option<Bytes>,
    closed: bool,
    cause: Cause,
}

impl<O: Outlet> Gate<O> {
    pub(crate) fn new(outlet: O, known: Option<Settings>, max_head: usize, cause: Cause) -> Self {
        let head = Head::Held { chunks: Vec::new(), size: 0 };
        let mut gate =
            Self { outlet, buffer: BytesMut::new(), head, max_head, last: None, closed: false, cause };
        if let Some(settings) = known {
            gate.outlet.head(settings.clone());
            gate.head = Head::Given { settings: Box::new(settings) };
        }
        gate
    }

    /// adf.toml was met.
    pub(crate) fn settings(&mut self, found: Settings) -> Result<(), ArchiveError> {
        match &self.head {
            Head::Held { .. } => self.give_head(found),
            Head::Given { settings } if **settings == found => Ok(()),
            // Without an earlier pass the head was given with defaults; with one, it was given with this text.
            Head::Given { settings } if **settings == Settings::default() => {
                Err(ArchiveError::LateSettings(Box::new(found)))
            }
            Head::Given { .. } => Err(ArchiveError::SettingsChanged),
        }
    }

    /// Nothing more is let through; what is held stays.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// The archive is verified: gives away what was held back.
    pub(crate) fn release(mut self) -> Result<(), ArchiveError> {
        if let Head::Held { .. } = self.head {
            self.give_head(Settings::default())?;
        }
        let rest = self.buffer.split().freeze();
        for chunk in self.last.take().into_iter().chain(Some(rest)).filter(|c| !c.is_empty()) {
            self.outlet.chunk(chunk)?;
        }
        self.outlet.end()
    }

    fn give_head(&mut self, settings: Settings) -> Result<(), ArchiveError> {
        self.outlet.head(settings.clone());
        match std::mem::replace(&mut self.head, Head::Given { settings: Box::new(settings) }) {
            Head::Held { chunks, .. } => chunks.into_iter().try_for_each(|chunk| self.push(chunk)),
            Head::Given { .. } => Ok(()),
        }
    }

    fn push(&mut self, chunk: Bytes) -> Result<(), ArchiveError> {
        if let Head::Held { chunks, size } = &mut self.head {
            *size += chunk.len();
            chunks.push(chunk);
            return if *size > self.max_head { self.give_head(Settings::default()) } else { Ok(()) };
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
        self.buffer.extend_from_slice(buf);
        while self.buffer.len() >= CHUNK {
            let chunk = self.buffer.split_to(CHUNK).freeze();
            self.push(chunk).map_err(|e| self.cause.set(e))?;
        }
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
