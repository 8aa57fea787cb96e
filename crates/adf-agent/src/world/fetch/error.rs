//! What can be wrong with a fetch. URLs in these errors are without their query.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;

use crate::failure::{Fault, Kind};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error(
        "E130 could not connect to {host}: {step}: {problem}; check the instance's route and security group"
    )]
    Connect { host: String, step: ConnectStep, problem: String },
    #[error("E131 the certificate of {host} was refused: {problem} (this host's clock says {clock:.0})")]
    Certificate { host: String, problem: String, clock: Timestamp },
    #[error("E132 the release was not found or may not be read ({status}) at {url}; {advice}")]
    NotFound { url: String, status: String, advice: &'static str },
    #[error("E132 cannot read {path}: {problem}")]
    File { path: String, problem: String },
    #[error("E132 {image} is an image and has no archive")]
    NotAnArchive { image: String },
    #[error("E133 {url} answered {status}{}", asked(*.wait))]
    Server { url: String, status: String, wait: Option<Duration> },
    #[error("E134 a redirect of {url} was refused: {problem}")]
    Redirect { url: String, problem: String },
    #[error("E134 {host} was not fetched from: {problem}")]
    Host { host: String, problem: String },
    #[error("E135 the download of {url} stopped after {received} bytes: {problem}")]
    Cut { url: String, received: u64, problem: String },
    #[error("E136 the download of {url} is slower than 1 KiB/s")]
    Slow { url: String },
    #[error("E160 this host's clock is {off} {host}'s; waiting for time sync, check: timedatectl")]
    Clock { host: String, off: String },
}

/// How far a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectStep {
    Dns,
    Connect,
    Tls,
    /// Connected, but there was no answer.
    Answer,
}

/// A clock is corrected by itself shortly after the network is up: seven of these pauses, which is what eight
/// tries have between them, make 120 s.
const CLOCK_PAUSE: Duration = Duration::from_secs(17);

impl Fault for FetchError {
    fn kind(&self) -> Kind {
        match self {
            Self::Connect { .. }
            | Self::Server { .. }
            | Self::Cut { .. }
            | Self::Slow { .. }
            | Self::Clock { .. } => Kind::Transient,
            Self::Certificate { .. }
            | Self::NotFound { .. }
            | Self::File { .. }
            | Self::NotAnArchive { .. }
            | Self::Redirect { .. }
            | Self::Host { .. } => Kind::Permanent,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Server { wait, .. } => *wait,
            Self::Clock { .. } => Some(CLOCK_PAUSE),
            _ => None,
        }
    }
}

impl fmt::Display for ConnectStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "DNS",
            Self::Connect => "connect",
            Self::Tls => "TLS handshake",
            Self::Answer => "no answer",
        })
    }
}

fn asked(wait: Option<Duration>) -> String {
    wait.map(|wait| format!(" and asked to wait {} s", wait.as_secs())).unwrap_or_default()
}
