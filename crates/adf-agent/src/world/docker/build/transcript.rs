//! What a build has said so far, as lines and steps.
//!
//! BuildKit reports through `aux` records (steps and their output), the classic builder through `stream` lines.
//! Both are reduced to the same lines.

use std::collections::BTreeSet;

use bollard::models::{BuildInfo, BuildInfoAux};

use super::error::{BuildError, BuildProblem};
use super::verdict::verdict;
use crate::log::{Tail, printable};
use crate::world::Builder;

#[derive(Default)]
pub(super) struct Transcript {
    tail: Tail,
    /// The last step that started.
    step: Option<String>,
    /// The step that reported an error.
    failed_step: Option<String>,
    /// Digests of steps that were announced as cached; BuildKit says so more than once.
    cached: BTreeSet<String>,
    /// The id of the image, once it is said.
    image: Option<String>,
}

impl Transcript {
    pub(super) fn take(&mut self, info: BuildInfo) {
        if let Some(text) = info.stream {
            for line in text.lines().filter(|line| !line.trim().is_empty()) {
                if line.starts_with("Step ") {
                    self.step = Some(printable(line));
                }
                self.line(line);
            }
        }
        match info.aux {
            Some(BuildInfoAux::BuildKit(status)) => self.status(status),
            Some(BuildInfoAux::Default(image)) => self.image = image.id.or(self.image.take()),
            None => {}
        }
    }

    fn status(&mut self, status: bollard::grpc::build::moby::buildkit::v1::StatusResponse) {
        for vertex in status.vertexes {
            if vertex.cached {
                if self.cached.insert(vertex.digest) {
                    self.line(&format!("CACHED {}", vertex.name));
                }
            } else if vertex.started.is_some() && vertex.completed.is_none() {
                self.line(&vertex.name);
                self.step = Some(printable(&vertex.name));
            }
            // A context that we cut off is told by the archive, and cancelled steps are not the cause.
            if !vertex.error.is_empty() && !vertex.error.contains("context canceled") {
                self.failed_step = Some(printable(&vertex.name));
            }
        }
        for log in status.logs {
            String::from_utf8_lossy(&log.msg).lines().for_each(|line| self.line(line));
        }
    }

    fn line(&mut self, line: &str) {
        let line = printable(line);
        tracing::info!(target: "adf_agent::build", "{line}");
        self.tail.push(line);
    }

    /// Whether the build named the image it made.
    pub(super) fn has_image(&self) -> bool {
        self.image.is_some()
    }

    /// Docker's own word for why the build ended.
    pub(super) fn refused(self, message: &str, exit: Option<i64>, builder: Builder) -> BuildError {
        let step = self.failed_step.or(self.step);
        let log = self.tail.into_lines();
        BuildError { problem: verdict(message, exit, step.as_deref(), &log, builder), step, log }
    }

    /// A problem that is not in Docker's words.
    pub(super) fn ended(self, problem: BuildProblem) -> BuildError {
        BuildError { problem, step: self.failed_step.or(self.step), log: self.tail.into_lines() }
    }
}
