//! `.dockerignore`, with Docker's own meaning: it applies to local contexts only, and to Docker ours is none.
//!
//! | file | what |
//! | --- | --- |
//! | `lines.rs` | the file's lines as Docker cleans them |
//! | `pattern.rs` | one pattern as a regular expression |
//! | `sieve.rs` | the decision for one entry after the other |
//!
//! A path is left out when the last pattern that matches it, or a folder above it, is not an exception (`!`).
//! `Dockerfile` and `.dockerignore` are always sent. Source: moby/patternmatcher and its `ignorefile`, which Docker's
//! command and `BuildKit` both use; the tests repeat their tables.

mod lines;
mod pattern;
mod sieve;

use std::fmt;

use regex::{RegexSet, RegexSetBuilder};

pub(crate) use sieve::Sieve;

use crate::error::ArchiveError;

/// Read by every builder.
pub(crate) const DOCKERIGNORE: &str = ".dockerignore";

/// Read by `BuildKit` instead of the other, where it stands.
pub(crate) const PREFERRED: &str = "Dockerfile.dockerignore";

/// Sent whatever the patterns say: the build cannot start without them.
const ALWAYS: [&str; 2] = ["Dockerfile", DOCKERIGNORE];

/// What all patterns together may cost in memory, compiled.
const COMPILED: usize = 8 << 20;

/// What an archive's ignore file says.
#[derive(Clone)]
pub struct Ignore {
    /// Which of the two files it is.
    pub(crate) file: &'static str,
    text: String,
    /// Whether each pattern is an exception, in their order.
    exceptions: Vec<bool>,
    patterns: RegexSet,
}

impl Ignore {
    pub(crate) fn parse(file: &'static str, text: String) -> Result<Self, ArchiveError> {
        let (mut exceptions, mut expressions) = (Vec::new(), Vec::new());
        for line in lines::clean(&text) {
            let refused = |problem: &str| ArchiveError::Ignore {
                file,
                pattern: crate::path::shown(line.as_bytes()),
                problem: problem.to_owned(),
            };
            let bare = line.strip_prefix('!');
            if bare == Some("") {
                return Err(refused("an exception needs a path"));
            }
            exceptions.push(bare.is_some());
            expressions.push(pattern::expression(bare.unwrap_or(&line)).map_err(refused)?);
        }
        let built = RegexSetBuilder::new(expressions).size_limit(COMPILED).dfa_size_limit(COMPILED).build();
        let patterns = built.map_err(|_| ArchiveError::Ignore {
            file,
            pattern: "all of them".to_owned(),
            problem: format!("together they need more than {COMPILED} bytes of memory"),
        })?;
        Ok(Self { file, text, exceptions, patterns })
    }

    /// Whether something below a folder that is left out may come in.
    fn has_exceptions(&self) -> bool {
        self.exceptions.contains(&true)
    }

    /// Whether an entry stays out of the build, when these patterns match it or a folder above it.
    fn verdict(&self, path: &str, matches: &[bool]) -> bool {
        let patterns = self.exceptions.iter().zip(matches);
        !ALWAYS.contains(&path)
            && patterns.fold(false, |out, (exception, matches)| if *matches { !exception } else { out })
    }
}

impl PartialEq for Ignore {
    fn eq(&self, other: &Self) -> bool {
        (self.file, &self.text) == (other.file, &other.text)
    }
}

impl Eq for Ignore {}

impl fmt::Debug for Ignore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ignore").field("file", &self.file).field("text", &self.text).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
