//! What went wrong, for a person at a terminal: what, to what, what to do.

use std::fmt;

pub(crate) type Result<T> = std::result::Result<T, Failure>;

#[derive(Debug)]
pub(crate) struct Failure {
    what: String,
    hint: Option<String>,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  hint: {hint}"),
            None => Ok(()),
        }
    }
}

/// Says what was being done when a library's error came.
pub(crate) trait While<T> {
    fn while_(self, doing: impl fmt::Display) -> Result<T>;
}

impl<T, E: std::error::Error> While<T> for std::result::Result<T, E> {
    fn while_(self, doing: impl fmt::Display) -> Result<T> {
        self.map_err(|error| {
            let mut what = format!("{doing}: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                what = format!("{what}: {cause}");
                source = cause.source();
            }
            Failure::new(what)
        })
    }
}
