//! The download as a `Read` for the blocking thread, with the slowest pace that is allowed.

use std::io::{self, Read};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::world::FetchError;

/// Pieces on their way between the download and the thread: bounds the memory of a fast download.
const PIECES: usize = 8;

/// A server that gives less than [`SLOWEST_BYTES`] in this time is given up.
const PACE_WINDOW: Duration = Duration::from_mins(1);
const SLOWEST_BYTES: u64 = 60 * 1024;

type Piece = Result<Bytes, FetchError>;

/// Starts moving the download towards the thread. It stops by itself when the reader is dropped.
pub(super) fn feed(url: String, body: BoxStream<'static, Piece>) -> mpsc::Receiver<Piece> {
    let (sender, receiver) = mpsc::channel(PIECES);
    tokio::spawn(pump(url, body, sender));
    receiver
}

async fn pump(url: String, mut body: BoxStream<'static, Piece>, sender: mpsc::Sender<Piece>) {
    let (mut waited, mut bytes) = (Duration::ZERO, 0);
    loop {
        // Only time spent waiting for the server counts: a build that reads slowly is not its fault.
        let asked = Instant::now();
        let Ok(next) = tokio::time::timeout(PACE_WINDOW, body.next()).await else {
            let _ = sender.send(Err(FetchError::Slow { url })).await;
            return;
        };
        waited += asked.elapsed();
        let Some(piece) = next else { return };
        bytes += piece.as_ref().map_or(0, |b| b.len() as u64);
        if waited >= PACE_WINDOW {
            if bytes < SLOWEST_BYTES {
                let _ = sender.send(Err(FetchError::Slow { url })).await;
                return;
            }
            (waited, bytes) = (Duration::ZERO, 0);
        }
        let failed = piece.is_err();
        if sender.send(piece).await.is_err() || failed {
            return;
        }
    }
}

/// Blocks on the other end of [`feed`].
pub(super) struct Feed {
    receiver: mpsc::Receiver<Piece>,
    current: Bytes,
}

impl Feed {
    pub(super) fn new(receiver: mpsc::Receiver<Piece>) -> Self {
        Self { receiver, current: Bytes::new() }
    }
}

impl Read for Feed {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                None => return Ok(0),
                Some(Ok(piece)) => self.current = piece,
                Some(Err(error)) => return Err(io::Error::other(error)),
            }
        }
        let n = buf.len().min(self.current.len());
        self.current.copy_to_slice(&mut buf[..n]);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn fault_24_a_server_that_drips_is_given_up() {
        let drip = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            Some((Ok(Bytes::from_static(b"x")), ()))
        });
        let mut pieces = feed("https://host/x".to_owned(), drip.boxed());
        let mut last = None;
        while let Some(piece) = pieces.recv().await {
            last = Some(piece);
        }
        assert_eq!(last, Some(Err(FetchError::Slow { url: "https://host/x".to_owned() })));
    }

    #[tokio::test(start_paused = true)]
    async fn fault_24_a_server_that_falls_silent_is_given_up() {
        let mut pieces = feed("https://host/x".to_owned(), stream::pending().boxed());
        assert!(matches!(pieces.recv().await, Some(Err(FetchError::Slow { .. }))));
    }
}
