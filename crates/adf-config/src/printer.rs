//! The one place that writes to the terminal.
//!
//! Data goes to stdout, everything a human is told goes to stderr. Text and JSON render the same value, so
//! they cannot say different things.

use std::io::{self, Write};

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

#[derive(Debug, Clone, Copy)]
pub struct Printer {
    format: Format,
}

impl Printer {
    pub fn new(format: Format) -> Self {
        Self { format }
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
        write_all(&mut io::stdout().lock(), &text);
    }

    /// Writes lines for a human to stderr, in either format.
    pub fn note(self, lines: &str) {
        let lines: Vec<_> = lines.lines().map(plain).collect();
        write_all(&mut io::stderr().lock(), &format!("{}\n", lines.join("\n")));
    }
}

fn json<T: Serialize>(value: &T) -> String {
    let text = serde_json::to_string_pretty(value).expect("results have string keys and no fallible parts");
    text + "\n"
}

/// A reader that has gone away (`adf-ctl status | head -1`) is not an error of ours.
fn write_all(out: &mut impl Write, text: &str) {
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
