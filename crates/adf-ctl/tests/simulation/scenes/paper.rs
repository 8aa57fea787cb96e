//! What was said, and when; the ids in it made readable.

use crate::trace::without_wall_clock;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use adf_ctl::printer::Terminal;
use tokio::time::Instant;

use super::script::INDENT;

/// The terminal that a scenario's command is typed at: both streams, in order.
#[derive(Debug)]
pub(super) struct Paper {
    origin: Instant,
    lines: Mutex<Vec<(Duration, String)>>,
}

impl Paper {
    /// Printers are copied freely and keep a reference for the life of a process; a scenario's process is short.
    pub(super) fn new(origin: Instant) -> &'static Self {
        Box::leak(Box::new(Self { origin, lines: Mutex::default() }))
    }

    pub(super) fn write(&self, text: &str) {
        let at = self.origin.elapsed();
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.extend(text.lines().map(|line| (at, line.trim_end().to_owned())));
    }

    /// Indented, with the time before each line that begins a new second.
    pub(super) fn block(&self) -> String {
        let (mut block, mut last) = (String::new(), None);
        for (at, line) in self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let seconds = at.as_secs();
            let time = if last == Some(seconds) { String::new() } else { clock(seconds) };
            last = Some(seconds);
            let _ = writeln!(block, "{}", format!("{INDENT}{time:>5}  {line}").trim_end());
        }
        block
    }
}

fn clock(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

impl Terminal for Paper {
    fn stdout(&self, text: &str) {
        self.write(text);
    }

    fn stderr(&self, text: &str) {
        self.write(text);
    }
}

/// Random ids, replaced by numbers of the same length, so that tables stay tables.
#[derive(Debug, Default)]
pub(super) struct Names {
    instances: Vec<String>,
    deploys: Vec<String>,
}

/// The digits of an instance's id, and of a deploy's.
const INSTANCE: usize = 17;
const DEPLOY: usize = 32;

impl Names {
    /// Numbers instances in the order in which the story of a world tells of them.
    pub(super) fn of(story: &[String]) -> Self {
        let mut names = Self::default();
        for line in story {
            names.readable(line);
        }
        names
    }

    pub(super) fn readable(&mut self, text: &str) -> String {
        let text = without_wall_clock(text);
        let text = replace(&text, "i-", INSTANCE, &mut self.instances);
        replace(&text, "d-", DEPLOY, &mut self.deploys)
    }
}

fn replace(text: &str, prefix: &str, digits: usize, known: &mut Vec<String>) -> String {
    let (mut rest, mut replaced) = (text, String::with_capacity(text.len()));
    while let Some(at) = rest.find(prefix) {
        let begins = at + prefix.len();
        let id = rest.get(begins..begins + digits).filter(|id| id.bytes().all(|b| b.is_ascii_hexdigit()));
        replaced.push_str(&rest[..begins]);
        let Some(id) = id else {
            rest = &rest[begins..];
            continue;
        };
        let place = known.iter().position(|other| other == id).unwrap_or_else(|| {
            known.push(id.to_owned());
            known.len() - 1
        });
        let _ = write!(replaced, "{:0digits$}", place + 1);
        rest = &rest[begins + digits..];
    }
    replaced + rest
}
