//! Images and how one is built, as plain data.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::failure::{Fault, Kind};

/// An image as Docker knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// `sha256:...`
    pub id: String,
    pub labels: BTreeMap<String, String>,
    /// The TCP ports of its EXPOSE lines, sorted.
    pub exposed: Vec<u16>,
    /// `repository@sha256:...`, one for each registry that it was pulled from or pushed to.
    pub repo_digests: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildOrder {
    pub tag: String,
    pub labels: BTreeMap<String, String>,
    pub target: Option<String>,
    pub args: BTreeMap<String, String>,
    pub builder: Builder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builder {
    BuildKit,
    /// The builder before BuildKit, for Docker installations where BuildKit does not answer.
    Classic,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error("E108 the Dockerfile failed{}: {message}", .step.as_ref().map(|s| format!(" at {s}")).unwrap_or_default())]
    Failed { step: Option<String>, message: String, log: Vec<String> },
    #[error("E102 the connection to Docker was lost during the build: {0}")]
    Lost(String),
    #[error("E104 BuildKit did not answer: {0}")]
    NoBuildKit(String),
    #[error("E105 the build gave no output for {} s", .0.as_secs())]
    Silent(Duration),
}

impl Fault for BuildError {
    fn kind(&self) -> Kind {
        match self {
            Self::Failed { .. } => Kind::Permanent,
            Self::Lost(_) | Self::NoBuildKit(_) | Self::Silent(_) => Kind::Transient,
        }
    }

    fn log_tail(&self) -> Vec<String> {
        match self {
            Self::Failed { log, .. } => log.clone(),
            Self::Lost(_) | Self::NoBuildKit(_) | Self::Silent(_) => Vec::new(),
        }
    }
}
