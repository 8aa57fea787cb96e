//! What happened, in order, for whoever wants to know why a seed failed.
//!
//! The rule: the same seed has the same trace. Random ids of deploys are replaced by their place, `d#1`, and the test
//! machine's own times of day left out; other
//! random words (the lock's token, client tokens) are left out by whoever tells a line.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

#[derive(Debug)]
pub(crate) struct Trace {
    origin: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    lines: Vec<(u64, String, String)>,
    deploys: Vec<String>,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self { origin: Instant::now(), inner: Mutex::default() }
    }

    pub(crate) fn tell(&self, who: &str, what: impl Into<String>) {
        let at = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let what = inner.named(&without_wall_clock(&what.into()));
        inner.lines.push((at, who.to_owned(), what));
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let line = |(at, who, what): &(u64, String, String)| {
            format!("{:>5}.{:03} {who:<21} {what}", at / 1000, at % 1000)
        };
        inner.lines.iter().map(line).collect()
    }
}

/// Length of `d-` and the hexadecimal digits of a UUID.
const ID: usize = 34;

impl Inner {
    /// `text` with each deploy's id replaced by its place.
    fn named(&mut self, text: &str) -> String {
        let (mut rest, mut named) = (text, String::with_capacity(text.len()));
        while let Some(at) = rest.find("d-") {
            let id = rest.get(at..at + ID).filter(|id| id[2..].bytes().all(|b| b.is_ascii_hexdigit()));
            let Some(id) = id else {
                named.push_str(&rest[..at + 2]);
                rest = &rest[at + 2..];
                continue;
            };
            let place = self.deploys.iter().position(|known| known == id).unwrap_or_else(|| {
                self.deploys.push(id.to_owned());
                self.deploys.len() - 1
            });
            named.push_str(&rest[..at]);
            let _ = write!(named, "d#{}", place + 1);
            rest = &rest[at + ID..];
        }
        named + rest
    }
}

/// The tables' and the agents' own times of day are the test machine's; those of the scenario are in 1970.
pub(crate) fn without_wall_clock(text: &str) -> String {
    const SHAPE: &[u8] = b"20..-..-..T..:..:..";
    let (mut rest, mut replaced) = (text, String::with_capacity(text.len()));
    while let Some(at) = rest.find("20") {
        let fits =
            |time: &&str| time.bytes().zip(SHAPE).all(|(b, s)| *s == b'.' && b.is_ascii_digit() || b == *s);
        let ends = rest[at..].find('Z').map(|length| at + length);
        if let Some(ends) = ends.filter(|_| rest.get(at..at + SHAPE.len()).as_ref().is_some_and(fits)) {
            replaced = replaced + &rest[..at] + "<a time of day>";
            rest = &rest[ends + 1..];
        } else {
            replaced.push_str(&rest[..at + 2]);
            rest = &rest[at + 2..];
        }
    }
    replaced + rest
}
