//! The one place that writes to the terminal.
//!
//! Data goes to stdout, everything a human is told goes to stderr. Text and JSON render the same value, so
//! they cannot say different things. Where the two streams go is a [`Terminal`]: that of this process, or a test's.

use std::fmt::Debug;
use std::io::{self, IsTerminal as _, Write};

use serde::Serialize;

use crate::text::plain;

/// How a value looks as text. Every line ends with a line break; nothing at all is fine.
pub trait Text {
    fn text(&self) -> String;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Text,
    /// One JSON document, indented.
    Json,
}

/// Where output goes. A reader that has gone away (`adf-ctl status | head -1`) is not an error of ours.
pub trait Terminal: Debug + Sync {
    /// What a pipe gets.
    fn stdout(&self, text: &str);

    /// What only a human reads.
    fn stderr(&self, text: &str);

    /// Whether a human looks at stdout, so that what was shown may be shown over.
    fn redraws(&self) -> bool {
        false
    }

    /// Whether a human looks at stderr, so that lines may move.
    fn animates(&self) -> bool {
        false
    }
}

/// The terminal that this process was started at.
#[derive(Debug)]
struct Ours;

impl Terminal for Ours {
    fn stdout(&self, text: &str) {
        write_all(&mut io::stdout().lock(), text);
    }

    fn stderr(&self, text: &str) {
        write_all(&mut io::stderr().lock(), text);
    }

    fn redraws(&self) -> bool {
        io::stdout().is_terminal()
    }

    fn animates(&self) -> bool {
        io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Printer {
    format: Format,
    terminal: &'static dyn Terminal,
}

impl Printer {
    pub fn new(format: Format) -> Self {
        Self::at(format, &Ours)
    }

    /// At another terminal than this process's own.
    pub fn at(format: Format, terminal: &'static dyn Terminal) -> Self {
        Self { format, terminal }
    }

    /// Whether a human looks at the notes, so that lines may move.
    pub fn animates(self) -> bool {
        self.terminal.animates()
    }

    pub fn format(self) -> Format {
        self.format
    }

    /// Writes a command's result to stdout.
    pub fn data<T: Text + Serialize>(self, value: &T) {
        let text = match self.format {
            Format::Text => value.text(),
            Format::Json => json(value),
        };
        self.terminal.stdout(&text);
    }

    /// Writes one look of several to stdout: over the one before on a terminal, below it elsewhere.
    pub fn look(self, text: &str) {
        const CLEAR: &str = "\u{1b}[H\u{1b}[2J";
        let clear = if self.terminal.redraws() { CLEAR } else { "" };
        self.terminal.stdout(&format!("{clear}{text}"));
    }

    /// Writes lines for a human to stderr, in either format.
    pub fn note(self, lines: &str) {
        let lines: Vec<_> = lines.lines().map(plain).collect();
        self.terminal.stderr(&format!("{}\n", lines.join("\n")));
    }
}

fn json<T: Serialize>(value: &T) -> String {
    let text = serde_json::to_string_pretty(value).expect("results have string keys and no fallible parts");
    text + "\n"
}

fn write_all(out: &mut impl Write, text: &str) {
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
