//! Log lines: where they go, and how lines from outside are made safe to print.
//!
//! Under systemd they go to the journal with structured fields (`journal.rs`), on a terminal they are readable text,
//! and `--log-format json` is for other collectors.
//!
//! The rule: a line from a build or a container never reaches a terminal with its control characters, and
//! never with more than [`MAX_LINE`] characters.

mod journal;

use std::collections::VecDeque;
use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::redact::{self, Redacting};

pub use journal::tag;

/// What a line from outside is cut to.
const MAX_LINE: usize = 500;

/// How many last lines an error carries.
pub const TAIL_LINES: usize = 20;

/// Libraries repeat in their own words, at length, what the agent says in one line.
const DEFAULT_FILTER: &str = "info,bollard=error,aws_config=error,aws_runtime=error,aws_smithy_runtime=error";

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Readable lines on stderr.
    Human,
    /// One JSON object a line, on stderr.
    Json,
    /// systemd's journal, each line with the fields by which it is found.
    Journal,
}

/// Sends log lines where `format` says; without one, to the journal when stderr is connected to it, else to stderr.
pub fn init(format: Option<Format>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let below = tracing_subscriber::registry().with(filter);
    let format = format.unwrap_or(if journal::is_stderr() { Format::Journal } else { Format::Human });
    let plain = !std::io::stderr().is_terminal() || std::env::var_os("NO_COLOR").is_some();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(!plain);
    match format {
        Format::Json => below.with(Redacting(lines.json())).init(),
        Format::Human => below.with(Redacting(lines)).init(),
        Format::Journal => match journal::layer() {
            Ok(journal) => below.with(Redacting(journal)).init(),
            Err(error) => {
                below.with(Redacting(lines)).init();
                tracing::warn!("the journal is not there, log lines go to stderr: {error}");
            }
        },
    }
}

/// A line from outside without secrets, without control characters (so without terminal escapes and without
/// a second line that looks like ours), and not too long.
pub fn printable(line: &str) -> String {
    // Before it is cut: half a secret is not found any more.
    let masked = redact::text(line.trim_end());
    let plain: String = masked.chars().map(|c| if moves(c) { ' ' } else { c }).collect();
    let plain = redact::owned(plain);
    let mut text: String = plain.chars().take(MAX_LINE).collect();
    if plain.chars().nth(MAX_LINE).is_some() {
        text.push('…');
    }
    text
}

/// Control characters, and what Unicode has of the kind: other line ends, and marks that turn the direction
/// of writing so that a line reads as something else.
fn moves(c: char) -> bool {
    (c.is_control() && c != '\t')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The last [`TAIL_LINES`] lines of something long.
#[derive(Debug, Default)]
pub struct Tail(VecDeque<String>);

impl Tail {
    pub fn push(&mut self, line: String) {
        if self.0.len() == TAIL_LINES {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    pub fn into_lines(self) -> Vec<String> {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn attack_a09_nothing_from_outside_moves_the_cursor_or_begins_a_line(line: String) {
            let shown = printable(&line);
            prop_assert!(!shown.chars().any(moves));
            prop_assert!(shown.chars().count() <= MAX_LINE + 1);
        }
    }

    #[test]
    fn attack_a09_a_fake_log_line_stays_inside_its_own() {
        let line = "step\r\n2026-01-01 ERROR adf_agent: failed\u{1b}[2K\u{202e}\u{2028}x";
        let shown = printable(line);
        assert_eq!(shown, "step  2026-01-01 ERROR adf_agent: failed [2K  x");
    }

    #[test]
    fn a_tail_keeps_the_last_lines() {
        let mut tail = Tail::default();
        (0..TAIL_LINES + 5).for_each(|n| tail.push(n.to_string()));
        let lines = tail.into_lines();
        assert_eq!((lines.len(), lines[0].as_str()), (TAIL_LINES, "5"));
    }
}
