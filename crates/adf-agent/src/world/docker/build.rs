//! One build: the context goes in as a stream, log lines come out, the first error ends it.
//!
//! BuildKit reports through `aux` records (steps and their output), the classic builder through `stream`
//! lines. Both are reduced to lines by [`Transcript`].

use std::collections::HashMap;
use std::time::Duration;

use bollard::Docker as Client;
use bollard::errors::Error;
use bollard::models::{BuildInfo, BuildInfoAux};
use bollard::query_parameters::{BuildImageOptions, BuildImageOptionsBuilder, BuilderVersion};
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;

use crate::failure::chain;
use crate::log::{Tail, printable};
use crate::world::{BuildError, BuildOrder, Builder};

/// A build that prints nothing for so long hangs.
const SILENCE_LIMIT: Duration = Duration::from_mins(10);

/// A build may take this long at most; the boot's own limit is usually shorter.
const TOTAL_LIMIT: Duration = Duration::from_mins(45);

pub(super) async fn run(
    client: &Client,
    order: &BuildOrder,
    context: BoxStream<'static, std::io::Result<Bytes>>,
) -> Result<(), BuildError> {
    let client = client.clone().with_timeout(TOTAL_LIMIT);
    let mut answers =
        std::pin::pin!(client.build_image(options(order), None, Some(bollard::body_try_stream(context))));
    let mut transcript = Transcript::default();
    loop {
        let next = tokio::time::timeout(SILENCE_LIMIT, answers.next()).await;
        match next.map_err(|_| BuildError::Silent(SILENCE_LIMIT))? {
            None => return Ok(()),
            Some(Ok(info)) => transcript.take(info),
            Some(Err(error)) => return Err(transcript.failed(&error, order.builder)),
        }
    }
}

fn options(order: &BuildOrder) -> BuildImageOptions {
    let map = |from: &std::collections::BTreeMap<String, String>| -> HashMap<String, String> {
        from.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let options = BuildImageOptionsBuilder::default()
        .dockerfile("Dockerfile")
        .t(&order.tag)
        .labels(&map(&order.labels))
        .buildargs(&map(&order.args))
        .target(order.target.as_deref().unwrap_or_default())
        .rm(true)
        .forcerm(true);
    match order.builder {
        Builder::BuildKit => {
            let session = format!("adf-{}", uuid::Uuid::new_v4().simple());
            options.version(BuilderVersion::BuilderBuildKit).session(&session).build()
        }
        Builder::Classic => options.version(BuilderVersion::BuilderV1).build(),
    }
}

/// What the build has said so far.
#[derive(Default)]
struct Transcript {
    tail: Tail,
    /// The step that reported an error, or the last one that started.
    step: Option<String>,
    failed_step: Option<String>,
    /// Whether the builder said anything at all.
    answered: bool,
}

impl Transcript {
    fn take(&mut self, info: BuildInfo) {
        self.answered = true;
        if let Some(text) = info.stream {
            for line in text.lines().filter(|l| !l.trim().is_empty()) {
                if line.starts_with("Step ") {
                    self.step = Some(printable(line));
                }
                self.line(line);
            }
        }
        if let Some(BuildInfoAux::BuildKit(status)) = info.aux {
            for vertex in status.vertexes {
                if vertex.started.is_some() && vertex.completed.is_none() {
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
    }

    fn line(&mut self, line: &str) {
        let line = printable(line);
        tracing::info!(target: "adf_agent::build", "{line}");
        self.tail.push(line);
    }

    fn failed(self, error: &Error, builder: Builder) -> BuildError {
        match error {
            Error::DockerStreamError { error } if session_trouble(error) => {
                BuildError::NoBuildKit(printable(error))
            }
            Error::DockerStreamError { error } => BuildError::Failed {
                step: self.failed_step.or(self.step),
                message: printable(error),
                log: self.tail.into_lines(),
            },
            Error::DockerResponseServerError { message, .. }
                if builder == Builder::BuildKit && session_trouble(message) =>
            {
                BuildError::NoBuildKit(printable(message))
            }
            Error::DockerResponseServerError { message, .. } => BuildError::Failed {
                step: self.failed_step.or(self.step),
                message: printable(message),
                log: self.tail.into_lines(),
            },
            other if builder == Builder::BuildKit && !self.answered => BuildError::NoBuildKit(chain(other)),
            other => BuildError::Lost(chain(other)),
        }
    }
}

/// Messages of a Docker whose BuildKit is missing, switched off, or lost our session.
fn session_trouble(message: &str) -> bool {
    ["no active session", "buildkit not supported", "buildkit is not supported"]
        .iter()
        .any(|part| message.to_ascii_lowercase().contains(part))
}
