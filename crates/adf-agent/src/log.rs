//! Log lines: where they go, and how lines from outside are made safe to print.
//!
//! The rule: a line from a build or a container never reaches a terminal with its control characters, and
//! never with more than [`MAX_LINE`] characters.

use std::collections::VecDeque;
use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

/// What a line from outside is cut to.
const MAX_LINE: usize = 500;

/// How many last lines an error carries.
pub const TAIL_LINES: usize = 20;

/// Libraries repeat in their own words, at length, what the agent says in one line.
const DEFAULT_FILTER: &str = "info,bollard=error,aws_config=error,aws_runtime=error,aws_smithy_runtime=error";

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Human,
    Json,
}

/// Sends log lines to stderr. Under systemd that is the journal, which has its own clock and no colours.
pub fn to_stderr(format: Format) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let journal = std::env::var_os("JOURNAL_STREAM").is_some();
    let plain = !std::io::stderr().is_terminal() || std::env::var_os("NO_COLOR").is_some();
    let lines =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(!plain);
    match format {
        Format::Json => lines.json().init(),
        Format::Human if journal => lines.without_time().init(),
        Format::Human => lines.init(),
    }
}

/// A line from outside without control characters (so without terminal escapes), and not too long.
pub fn printable(line: &str) -> String {
    let line = line.trim_end();
    let mut text: String =
        line.chars().take(MAX_LINE).map(|c| if c.is_control() && c != '\t' { ' ' } else { c }).collect();
    if line.chars().nth(MAX_LINE).is_some() {
        text.push('…');
    }
    text
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
        fn nothing_from_outside_moves_the_cursor(line: String) {
            let shown = printable(&line);
            prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\t'));
            prop_assert!(shown.chars().count() <= MAX_LINE + 1);
        }
    }

    #[test]
    fn a_tail_keeps_the_last_lines() {
        let mut tail = Tail::default();
        (0..TAIL_LINES + 5).for_each(|n| tail.push(n.to_string()));
        let lines = tail.into_lines();
        assert_eq!((lines.len(), lines[0].as_str()), (TAIL_LINES, "5"));
    }
}
