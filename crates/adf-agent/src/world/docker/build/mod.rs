//! One build: the context goes in as a stream, log lines come out, the first error ends it.
//!
//! | file | what |
//! | --- | --- |
//! | `request.rs` | the order in Docker's words: `POST /build` |
//! | `transcript.rs` | what the build says, as lines and steps |
//! | `verdict.rs` | Docker's words for a failed build, sorted |
//! | `error.rs` | the sorts |
//!
//! Neighbours: `../session.rs` answers BuildKit's questions meanwhile, `../wire.rs` carries both. bollard's own
//! `build_image` is not used because the session that it opens serves no secrets.

mod error;
mod request;
mod transcript;
mod verdict;

use std::time::Duration;

use bollard::models::BuildInfo;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use http_body_util::{BodyDataStream, BodyExt as _, StreamBody};
use hyper::Response;
use hyper::body::{Frame, Incoming};
use tokio::time::Instant;
use tokio_util::codec::{FramedRead, LinesCodec};
use tokio_util::io::StreamReader;

pub use error::{BuildError, BuildProblem, gib};
use transcript::Transcript;

use super::session::Session;
use super::wire::{Address, Body};
use crate::failure::chain;
use crate::world::{BuildOrder, Builder};

/// A build that prints nothing for so long hangs (fault 5).
const SILENCE_LIMIT: Duration = Duration::from_mins(10);

/// A build may take this long at most; the boot's own limit is usually shorter.
const TOTAL_LIMIT: Duration = Duration::from_mins(45);

/// One record of Docker's answer: BuildKit puts the output of a step into one, some MiB at most.
const MAX_RECORD: usize = 8 << 20;

/// What Docker says of a request that it did not take.
const MAX_REFUSAL: usize = 64 << 10;

pub(super) async fn run(
    order: &BuildOrder,
    context: BoxStream<'static, std::io::Result<Bytes>>,
) -> Result<(), BuildError> {
    let lost = |error: std::io::Error| BuildError::bare(BuildProblem::Lost(chain(&error)));
    let address = Address::from_env().map_err(lost)?;
    let session = match order.builder {
        Builder::BuildKit => Some(open_session(&address, order).await?),
        Builder::Classic => None,
    };
    let frames = context.map_ok(Frame::data);
    let body: Body = StreamBody::new(frames).boxed_unsync();
    let request = request::build(order, session.as_ref().map(Session::id), body).map_err(lost)?;
    let answer = match tokio::time::timeout(TOTAL_LIMIT, address.send(request)).await {
        Ok(answer) => answer.map_err(lost)?,
        Err(_) => return Err(BuildError::bare(BuildProblem::TooLong(TOTAL_LIMIT))),
    };
    if !answer.status().is_success() {
        return Err(refused(answer, order.builder).await);
    }
    follow(records(answer), order.builder).await
}

async fn open_session(address: &Address, order: &BuildOrder) -> Result<Session, BuildError> {
    let opened = Session::open(address, order.secrets.clone(), order.keyring.clone()).await;
    opened.map_err(|error| {
        let refused = error.to_string().starts_with("POST /session answered");
        let problem = chain(&error);
        BuildError::bare(if refused {
            BuildProblem::NoBuildKit(problem)
        } else {
            BuildProblem::Lost(problem)
        })
    })
}

/// A request that Docker did not take: `{"message": "..."}`.
async fn refused(answer: Response<Incoming>, builder: Builder) -> BuildError {
    let status = answer.status();
    let body = http_body_util::Limited::new(answer.into_body(), MAX_REFUSAL).collect().await;
    let said: Option<String> = body.ok().and_then(|body| {
        let value: serde_json::Value = serde_json::from_slice(&body.to_bytes()).ok()?;
        Some(value.get("message")?.as_str()?.to_owned())
    });
    let said = said.unwrap_or_else(|| format!("Docker answered {status}"));
    Transcript::default().refused(&said, None, builder)
}

type Record = Result<BuildInfo, String>;

/// The answer's lines, each one JSON record.
fn records(answer: Response<Incoming>) -> impl Stream<Item = Record> + Send {
    let bytes = BodyDataStream::new(answer.into_body()).map(|bytes| bytes.map_err(std::io::Error::other));
    let lines = FramedRead::new(StreamReader::new(bytes), LinesCodec::new_with_max_length(MAX_RECORD));
    lines.filter_map(async |line| match line {
        Ok(line) if line.trim().is_empty() => None,
        Ok(line) => Some(serde_json::from_str(&line).map_err(|e| format!("Docker's answer is no JSON: {e}"))),
        Err(error) => Some(Err(chain(&error))),
    })
}

/// Reads the build to its end, which is an image id or an error. Returning drops the answer, and with it the build.
async fn follow(records: impl Stream<Item = Record>, builder: Builder) -> Result<(), BuildError> {
    let mut records = std::pin::pin!(records);
    let mut transcript = Transcript::default();
    let deadline = Instant::now() + TOTAL_LIMIT;
    loop {
        let silence = Instant::now() + SILENCE_LIMIT;
        let next = match tokio::time::timeout_at(silence.min(deadline), records.next()).await {
            Ok(next) => next,
            Err(_) if silence < deadline => return Err(transcript.ended(BuildProblem::Silent(SILENCE_LIMIT))),
            Err(_) => return Err(transcript.ended(BuildProblem::TooLong(TOTAL_LIMIT))),
        };
        match next {
            None if transcript.has_image() => return Ok(()),
            None => return Err(transcript.ended(BuildProblem::NoImage)),
            Some(Err(problem)) => return Err(transcript.ended(BuildProblem::Lost(problem))),
            Some(Ok(mut info)) => {
                let error = info.error_detail.take();
                transcript.take(info);
                if let Some(error) = error {
                    return Err(transcript.refused(
                        &error.message.unwrap_or_default(),
                        error.code.filter(|code| *code != 0),
                        builder,
                    ));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
