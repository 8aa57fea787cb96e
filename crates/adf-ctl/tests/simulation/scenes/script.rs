//! A scenario's text, read: a heading, a script, and below each line that says something what it said.
//!
//! Lines that begin with `#` are for the reader, indented lines are output, every other line must be understood.

use std::time::Duration;

use adf_types::Step;

use super::phrase::{self, Event, Given};

/// How far output is indented.
pub(super) const INDENT: &str = "    ";

#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug)]
pub(crate) struct Line {
    /// From 1.
    pub(crate) number: usize,
    pub(crate) text: String,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    /// A heading, a remark, an empty line.
    Prose,
    Given(Given),
    Cue(When, Cue),
}

/// When something begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// When everything above has ended.
    Next,
    /// So long after the beginning of the scenario.
    At(Duration),
    /// So long after the open deploy reached a step.
    After(Step, Duration),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cue {
    /// Somebody types a line.
    Types {
        who: String,
        line: String,
    },
    Happens(Event),
    /// A look from outside at what serves.
    Serving,
}

#[derive(Debug)]
pub(crate) struct NotUnderstood {
    pub(crate) line: usize,
    pub(crate) why: String,
}

impl Script {
    pub(crate) fn read(text: &str) -> Result<Self, NotUnderstood> {
        let mut lines = Vec::new();
        let all: Vec<&str> = text.lines().collect();
        for (number, text) in (1..).zip(&all) {
            // Output has empty lines, too, but never at its end.
            let next = all[number..].iter().find(|line| !line.is_empty());
            let within = lines.last().is_none_or(|last: &Line| last.number + 1 < number);
            let output = |line: &str| line.starts_with(INDENT);
            if output(text) || (text.is_empty() && within && next.is_some_and(|line| output(line))) {
                continue;
            }
            let what = line(text).map_err(|why| NotUnderstood { line: number, why })?;
            lines.push(Line { number, text: text.trim_end().to_owned(), what });
        }
        Ok(Self { lines })
    }
}

fn line(text: &str) -> Result<What, String> {
    if text.trim().is_empty() || text.starts_with('#') {
        return Ok(What::Prose);
    }
    if let Some(given) = text.strip_prefix("given ") {
        return Ok(What::Given(phrase::given(given)?));
    }
    let (when, rest) = when(text)?;
    Ok(What::Cue(when, cue(rest.trim())?))
}

/// `at 1m30s: `, `when watch begins: `, `10s after judge begins: `, or nothing.
fn when(text: &str) -> Result<(When, &str), String> {
    if let Some(rest) = text.strip_prefix("at ") {
        let (time, rest) = rest.split_once(": ").ok_or("write: at 1m30s: what happens")?;
        return Ok((When::At(phrase::duration(time)?), rest));
    }
    let Some((moment, rest)) = text.split_once(" begins: ") else { return Ok((When::Next, text)) };
    if let Some(name) = moment.strip_prefix("when ") {
        return Ok((When::After(step(name)?, Duration::ZERO), rest));
    }
    let (time, name) =
        moment.split_once(" after ").ok_or("write: when STEP begins: or 10s after STEP begins:")?;
    Ok((When::After(step(name)?, phrase::duration(time)?), rest))
}

fn step(name: &str) -> Result<Step, String> {
    let known = Step::ALL.into_iter().chain([Step::Restart]).find(|step| step.as_str() == name);
    known.ok_or_else(|| format!("no step of a deploy is called {name:?}"))
}

fn cue(text: &str) -> Result<Cue, String> {
    if text == "what serves" {
        return Ok(Cue::Serving);
    }
    if let Some((who, line)) = text.split_once("$ ") {
        let who = if who.is_empty() { "ann" } else { who };
        if !who.chars().all(|c| c.is_ascii_lowercase()) {
            return Err(format!("{who:?} is no operator's name"));
        }
        return Ok(Cue::Types { who: who.to_owned(), line: line.to_owned() });
    }
    phrase::event(text).map(Cue::Happens)
}
