//! A body that goes on where its connection was cut.
//!
//! Neighbours: `http.rs` and `s3.rs` know how to ask for the rest of the same bytes ([`Reopen`]), where the
//! server can give it at all; the archive sees one stream and knows nothing of this. The rule: either the very
//! bytes that are missing, or an error that makes the caller start from the beginning.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

use super::FetchError;
use crate::retry::Schedule;

/// A cut download is taken up again after 1, 2, 4, 8, 8 s, each with jitter: less than the minute after which a
/// download without a byte is given up as too slow.
pub(super) const RESUME_SCHEDULE: Schedule = Schedule {
    what: "the rest of the release's archive",
    first: Duration::from_secs(1),
    factor: 2.0,
    max: Duration::from_secs(8),
    tries: 5,
    jitter: true,
};

/// A connection that gives nothing for so long is dead; where the rest can be asked for, it is.
const STALL_LIMIT: Duration = Duration::from_secs(20);

/// Bytes as they arrive; an error says in words how they ended.
pub(super) type Pieces = BoxStream<'static, Result<Bytes, String>>;

/// Asks for the rest of a body.
#[async_trait]
pub(super) trait Reopen: Send {
    /// The same bytes from `offset` to their end.
    async fn reopen(&mut self, offset: u64) -> Result<Pieces, NotResumed>;
}

/// Why there is no rest.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotResumed {
    /// It may be given a little later.
    YetAgain(String),
    /// These bytes are not to be had any more.
    Never(String),
}

/// `first`, and what follows when it is cut. `total` is what the server announced.
pub(super) fn resuming(
    url: String,
    total: Option<u64>,
    first: Pieces,
    reopen: Option<Box<dyn Reopen>>,
) -> BoxStream<'static, Result<Bytes, FetchError>> {
    let body = Body { url, total, received: 0, pieces: Some(first), reopen, cuts: 0 };
    stream::unfold(body, Body::next).boxed()
}

struct Body {
    url: String,
    total: Option<u64>,
    received: u64,
    /// Nothing after an error that was told.
    pieces: Option<Pieces>,
    reopen: Option<Box<dyn Reopen>>,
    cuts: u32,
}

impl Body {
    async fn next(mut self) -> Option<(Result<Bytes, FetchError>, Self)> {
        loop {
            let problem = match self.piece().await? {
                Ok(bytes) => return Some((Ok(bytes), self)),
                Err(problem) => problem,
            };
            if let Err(problem) = self.go_on(problem).await {
                let Self { url, received, .. } = &self;
                let cut = FetchError::Cut { url: url.clone(), received: *received, problem };
                self.pieces = None;
                return Some((Err(cut), self));
            }
        }
    }

    /// The next bytes, or why there are none; nothing at the body's whole end.
    async fn piece(&mut self) -> Option<Result<Bytes, String>> {
        let pieces = self.pieces.as_mut()?;
        let piece = if self.reopen.is_some() {
            let waited = tokio::time::timeout(STALL_LIMIT, pieces.next()).await;
            waited.unwrap_or_else(|_| Some(Err(format!("no byte for {} s", STALL_LIMIT.as_secs()))))
        } else {
            pieces.next().await
        };
        match (piece, self.total) {
            (Some(Ok(bytes)), total) => {
                self.received += bytes.len() as u64;
                let too_much = total.filter(|total| self.received > *total);
                Some(too_much.map_or(Ok(bytes), |t| Err(format!("the server sends more than its {t} bytes"))))
            }
            (None, Some(total)) if self.received < total => {
                Some(Err(format!("the server ended it short of its {total} bytes")))
            }
            (other, _) => other,
        }
    }

    async fn go_on(&mut self, cut: String) -> Result<(), String> {
        let mut problem = cut;
        let Some(reopen) = self.reopen.as_mut() else { return Err(problem) };
        if self.total.is_some_and(|total| self.received > total) {
            return Err(problem);
        }
        while self.cuts < RESUME_SCHEDULE.tries {
            self.cuts += 1;
            let pause = RESUME_SCHEDULE.pause(self.cuts);
            tracing::warn!(
                received = self.received,
                tried = self.cuts,
                of = RESUME_SCHEDULE.tries,
                ?pause,
                "the download of {} was cut ({problem}); asking for the rest",
                self.url
            );
            tokio::time::sleep(pause).await;
            match reopen.reopen(self.received).await {
                Ok(pieces) => {
                    self.pieces = Some(pieces);
                    return Ok(());
                }
                Err(NotResumed::YetAgain(why)) => problem = why,
                Err(NotResumed::Never(why)) => return Err(why),
            }
        }
        Err(format!("{problem} (taken up again {} times)", RESUME_SCHEDULE.tries))
    }
}

/// Checks that a part is the one that was asked for: `bytes <offset>-<last>/<total>`, to the end.
pub(super) fn check_range(answered: Option<&str>, offset: u64, total: Option<u64>) -> Result<(), NotResumed> {
    let wrong = || {
        let got = answered.unwrap_or("nothing").escape_debug();
        NotResumed::Never(format!("the server was asked for bytes {offset}- and gave {got}"))
    };
    let range = answered.and_then(|text| text.strip_prefix("bytes ")).ok_or_else(wrong)?;
    let (span, whole) = range.split_once('/').ok_or_else(wrong)?;
    let (first, last) = span.split_once('-').ok_or_else(wrong)?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| wrong());
    let (first, last, whole) = (number(first)?, number(last)?, number(whole)?);
    let same = first == offset && last.checked_add(1) == Some(whole) && total.is_none_or(|t| t == whole);
    same.then_some(()).ok_or_else(wrong)
}
