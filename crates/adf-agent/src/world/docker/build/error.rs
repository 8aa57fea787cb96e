//! Why a build ended without an image.
//!
//! Neighbours: `verdict.rs` reads Docker's messages into these, `prepare` decides which of them is tried again, how
//! often, and after what. The rule: a problem says what it happened to; the step and the last lines stand beside it.

use std::time::Duration;

use crate::failure::{Fault, Kind};

/// A build that ended without an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.text())]
pub struct BuildError {
    pub problem: BuildProblem,
    /// The step it happened in, `[2/3] RUN make` or `Step 2/3 : RUN make`.
    pub step: Option<String>,
    /// The last lines of the build.
    pub log: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BuildProblem {
    /// The Dockerfile is at fault, or what it runs. `exit` is the code of the command that failed.
    Dockerfile {
        message: String,
        exit: Option<i64>,
    },
    /// Docker went away while it built.
    Lost(String),
    /// The build ended without an error, and without an image.
    NoImage,
    /// BuildKit forgot our session, which is no fault of a registry.
    SessionLost(String),
    /// This Docker has no BuildKit, or does not let us use it.
    NoBuildKit(String),
    /// The Dockerfile needs BuildKit, and BuildKit did not do it.
    NeedsBuildKit(String),
    Silent(Duration),
    TooLong(Duration),
    DiskFull(String),
    /// The kernel killed a command of the build.
    OutOfMemory {
        victim: Option<String>,
        host_ram: Option<u64>,
    },
    /// A registry wants us to come later, after `wait` where it says so.
    RateLimited {
        image: String,
        message: String,
        wait: Option<Duration>,
    },
    /// A base image is not there, or not for us.
    BaseImage {
        image: String,
        message: String,
    },
    /// A registry does not answer, or not well.
    Registry {
        image: String,
        message: String,
    },
}

impl BuildError {
    /// Without step or log, for problems that have none.
    pub fn bare(problem: BuildProblem) -> Self {
        Self { problem, step: None, log: Vec::new() }
    }

    fn text(&self) -> String {
        let at = self.step.as_ref().map(|step| format!(" at {step}")).unwrap_or_default();
        match &self.problem {
            BuildProblem::Dockerfile { message, .. } => format!("E108 the Dockerfile failed{at}: {message}"),
            BuildProblem::Lost(problem) => {
                format!("E102 the connection to Docker was lost during the build{at}: {problem}")
            }
            BuildProblem::NoImage => format!("E103 the build ended without an image id{at}"),
            BuildProblem::SessionLost(problem) => {
                format!("E104 BuildKit lost the build's session (not a registry fault){at}: {problem}")
            }
            BuildProblem::NoBuildKit(problem) => format!("E104 BuildKit did not answer: {problem}"),
            BuildProblem::NeedsBuildKit(problem) => format!(
                "E104 the Dockerfile needs BuildKit ({problem}), which did not build it; \
                 update Docker, or write the Dockerfile without RUN --mount and here-documents"
            ),
            BuildProblem::Silent(limit) => {
                format!("E105 the build gave no output for {} s{at}; it was cancelled", limit.as_secs())
            }
            BuildProblem::TooLong(limit) => {
                format!("E105 the build took longer than {} min{at}; it was cancelled", limit.as_secs() / 60)
            }
            BuildProblem::DiskFull(message) => format!("E106 the disk is full{at}: {message}"),
            BuildProblem::OutOfMemory { victim, host_ram } => out_of_memory(&at, victim.as_ref(), *host_ram),
            BuildProblem::RateLimited { image, message, .. } => format!(
                "E109 the registry's rate limit for {image} is reached: {message}; use a mirror or log in"
            ),
            BuildProblem::BaseImage { image, message } => {
                format!("E110 base image {image} was not found or may not be read: {message}")
            }
            BuildProblem::Registry { image, message } => {
                format!("E111 the registry of {image} did not answer as it should: {message}")
            }
        }
    }
}

fn out_of_memory(at: &str, victim: Option<&String>, host_ram: Option<u64>) -> String {
    let mut facts = Vec::new();
    facts.extend(victim.map(|victim| format!("the OOM killer took {victim}")));
    facts.extend(host_ram.map(|bytes| format!("host RAM {}", gib(bytes))));
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    format!("E107 the build ran out of memory{at}{facts}; use a larger instance or a leaner build")
}

/// Bytes as an operator compares them: `3.9 GiB`.
#[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
pub fn gib(bytes: u64) -> String {
    format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))
}

impl Fault for BuildError {
    fn kind(&self) -> Kind {
        match self.problem {
            BuildProblem::Lost(_)
            | BuildProblem::NoImage
            | BuildProblem::SessionLost(_)
            | BuildProblem::NoBuildKit(_)
            | BuildProblem::DiskFull(_)
            | BuildProblem::OutOfMemory { .. }
            | BuildProblem::RateLimited { .. }
            | BuildProblem::Registry { .. } => Kind::Transient,
            BuildProblem::Dockerfile { .. }
            | BuildProblem::NeedsBuildKit(_)
            | BuildProblem::Silent(_)
            | BuildProblem::TooLong(_)
            | BuildProblem::BaseImage { .. } => Kind::Permanent,
        }
    }

    fn log_tail(&self) -> Vec<String> {
        self.log.clone()
    }
}
