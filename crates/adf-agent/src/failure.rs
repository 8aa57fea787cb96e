//! Why a boot could not go on, in the form that the receipt, the console and the exit code need.
//!
//! Neighbours: every module has its own error enum; a [`Fault`] says which of them may pass by themselves,
//! and `?` turns one into a [`Failure`]. The rule: a reason never holds a config value.

use std::error::Error;
use std::time::Duration;

use adf_types::Stage;

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An outside system did not answer; the same call may succeed later.
    Transient,
    /// The same input gives the same answer: a retry only costs time.
    Permanent,
}

/// What every module error tells about itself.
pub trait Fault: Error {
    fn kind(&self) -> Kind;

    /// How long the outside system asked to wait, where it did; such a wait replaces the schedule's delay.
    fn retry_after(&self) -> Option<Duration> {
        None
    }

    /// The last lines of the build or of the container, where there are any.
    fn log_tail(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The end of a boot that did not reach Serving.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Failure {
    pub kind: Kind,
    /// The stage that failed, once a reporter knows it.
    pub stage: Option<Stage>,
    /// One line: what, to what, what was tried, what to do.
    pub reason: String,
    pub log_tail: Vec<String>,
}

impl Failure {
    pub fn permanent(reason: impl Into<String>) -> Self {
        Self { kind: Kind::Permanent, stage: None, reason: reason.into(), log_tail: Vec::new() }
    }

    pub fn transient(reason: impl Into<String>) -> Self {
        Self { kind: Kind::Transient, ..Self::permanent(reason) }
    }

    /// Tags the failure with its stage; the innermost stage stays.
    #[must_use]
    pub fn at(mut self, stage: Stage) -> Self {
        self.stage.get_or_insert(stage);
        self
    }

    #[must_use]
    pub fn with_tail(mut self, log_tail: Vec<String>) -> Self {
        self.log_tail = log_tail;
        self
    }
}

impl<E: Fault> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { kind: error.kind(), stage: None, reason: chain(&error), log_tail: error.log_tail() }
    }
}

/// An error and its causes in one line; a cause that its parent already printed is not repeated.
pub fn chain(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !line.contains(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        cause = inner.source();
    }
    line.replace(['\n', '\r'], " ")
}
