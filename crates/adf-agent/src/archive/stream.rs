//! The bridge: a download becomes a verified build context.

use adf_archive::{ArchiveError, Outlet, Settings, Summary, Wanted, repack};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::StreamError;
use super::feed::{Feed, feed};
use crate::harden::contained;
use crate::world::Download;

/// Chunks on their way to Docker.
const CHUNKS: usize = 8;

/// An archive that is being read.
pub struct Opened {
    /// adf.toml: what the build needs before its request starts.
    pub head: Settings,
    /// The context, as tar. It ends in an error unless the archive was verified to its last byte.
    pub context: BoxStream<'static, std::io::Result<Bytes>>,
    /// What the archive turned out to be; await it after the build.
    pub verdict: JoinHandle<Result<Summary, ArchiveError>>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("head", &self.head).finish_non_exhaustive()
    }
}

/// Starts reading, and returns when adf.toml is known (or known not to be in the head of the archive).
pub async fn open(url: &str, download: Download, wanted: Wanted) -> Result<Opened, StreamError> {
    let (head_sender, head) = oneshot::channel();
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let pieces = feed(url.to_owned(), download.body);
    let verdict = tokio::task::spawn_blocking(move || {
        let outlet = Channel { head: Some(head_sender), sender };
        contained(|| repack(Feed::new(pieces), download.content_type, &wanted, outlet))
    });
    match head.await {
        Ok(head) => Ok(Opened { head, context: context(receiver), verdict }),
        // The thread ended before it had a head to give.
        Err(_) => Err(joined(verdict.await).err().unwrap_or(ArchiveError::Abandoned.into())),
    }
}

/// Turns a panic of the thread into an error: the agent reports it and lives on.
pub fn joined(
    verdict: Result<Result<Summary, ArchiveError>, tokio::task::JoinError>,
) -> Result<Summary, StreamError> {
    let verdict = verdict.unwrap_or_else(|e| Err(ArchiveError::Damaged(format!("reading it failed: {e}"))));
    verdict.map_err(StreamError::from)
}

enum Piece {
    Chunk(Bytes),
    End,
}

struct Channel {
    head: Option<oneshot::Sender<Settings>>,
    sender: mpsc::Sender<Piece>,
}

impl Channel {
    fn send(&self, piece: Piece) -> Result<(), ArchiveError> {
        self.sender.blocking_send(piece).map_err(|_| ArchiveError::Abandoned)
    }
}

impl Outlet for Channel {
    fn head(&mut self, settings: Settings) {
        if let Some(head) = self.head.take() {
            let _ = head.send(settings);
        }
    }

    fn chunk(&mut self, chunk: Bytes) -> Result<(), ArchiveError> {
        self.send(Piece::Chunk(chunk))
    }

    fn end(&mut self) -> Result<(), ArchiveError> {
        self.send(Piece::End)
    }
}

/// A channel that closes without [`Piece::End`] is an error: a body that ends cleanly would be a whole build
/// context to Docker.
fn context(receiver: mpsc::Receiver<Piece>) -> BoxStream<'static, std::io::Result<Bytes>> {
    stream::unfold(Some(receiver), |receiver| async {
        let mut receiver = receiver?;
        match receiver.recv().await {
            Some(Piece::Chunk(chunk)) => Some((Ok(chunk), Some(receiver))),
            Some(Piece::End) => None,
            None => Some((Err(std::io::Error::other("the archive was refused")), None)),
        }
    })
    .boxed()
}
