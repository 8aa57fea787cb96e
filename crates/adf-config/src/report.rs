//! How a command's error reaches the operator: once, at the edge.
//!
//! The chain of causes is printed one a line, then `hint:` with what to do next. With `--json` the same
//! facts are one line of JSON, also on stderr: stdout holds results only.

use std::error::Error;

use serde::Serialize;

use crate::exit::ExitCode;
use crate::printer::Format;
use crate::text::plain;

/// An error that knows what the shell is told and what the operator can do.
pub trait Explain: Error {
    fn exit_code(&self) -> ExitCode;

    /// What to do next, as a sentence or a command.
    fn hint(&self) -> Option<String>;
}

#[derive(Debug, Serialize)]
struct Report {
    error: String,
    causes: Vec<String>,
    hint: Option<String>,
    exit_code: u8,
}

/// Prints the error to stderr and returns the exit code to end with.
pub fn report(error: &dyn Explain, format: Format) -> ExitCode {
    let code = error.exit_code();
    eprintln!("{}", render(error, format));
    code
}

/// The text of [`report`], without a line break at its end.
pub fn render(error: &dyn Explain, format: Format) -> String {
    let report = Report {
        error: error.to_string(),
        causes: causes(error),
        hint: error.hint(),
        exit_code: error.exit_code().code(),
    };
    match format {
        Format::Text => text(&report),
        Format::Json => serde_json::to_string(&report).expect("strings and a number"),
    }
}

/// The messages below the first, leaving out a cause that only repeats the one above it.
fn causes(error: &dyn Explain) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut above = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let message = cause.to_string();
        if !above.contains(&message) {
            causes.push(message.clone());
        }
        above = message;
        next = cause.source();
    }
    causes
}

fn text(report: &Report) -> String {
    let mut lines = vec![format!("error: {}", lines_of(&report.error))];
    lines.extend(report.causes.iter().map(|c| format!("  caused by: {}", lines_of(c))));
    lines.extend(report.hint.iter().map(|h| format!("hint: {}", lines_of(h))));
    lines.join("\n")
}

/// Messages may have several lines (a parser that points at the place); what they quote is made safe.
fn lines_of(message: &str) -> String {
    message.lines().map(plain).collect::<Vec<_>>().join("\n  ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read release v\u{1b}[31m9")]
    struct Outer(#[source] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error("table adf-state does not answer")]
    struct Middle(#[source] std::io::Error);

    impl Explain for Outer {
        fn exit_code(&self) -> ExitCode {
            ExitCode::Unreachable
        }

        fn hint(&self) -> Option<String> {
            Some("check the network".into())
        }
    }

    fn example() -> Outer {
        Outer(Middle(std::io::Error::other("connection refused")))
    }

    #[test]
    fn the_chain_is_one_cause_a_line_then_the_hint() {
        assert_eq!(
            render(&example(), Format::Text),
            "error: cannot read release v\\u{1b}[31m9\n  caused by: table adf-state does not answer\n  \
             caused by: connection refused\nhint: check the network"
        );
    }

    #[test]
    fn json_carries_the_same_facts_and_the_code() {
        let value: serde_json::Value =
            serde_json::from_str(&render(&example(), Format::Json)).expect("one JSON line");
        assert_eq!(value["exit_code"], 6);
        assert_eq!(value["causes"][1], "connection refused");
        assert_eq!(value["hint"], "check the network");
    }
}
