//! Everything outside this process, in our own words: one small trait per outside system.
//!
//! This folder is the only one that imports bollard, reqwest, AWS SDKs and adf-store. Stages see the traits
//! and plain data below; tests put scripted fakes in their place.
//!
//! | trait | outside system | real one |
//! | --- | --- | --- |
//! | [`Imds`] | instance metadata | `imds.rs` |
//! | [`Docker`] | the container engine | `docker/` |
//! | [`Prober`] | the app itself, asked over HTTP or TCP | `probe.rs` |
//! | [`Connect`] | AWS, once the region is known | `aws.rs` |
//! | [`Table`] | the config and state tables | `table.rs` |
//! | [`Fetch`] | where release archives are | `fetch/` |
//! | [`Lifecycle`] | the Auto Scaling group | `lifecycle.rs` |
//!
//! To add an outside system: a trait with its error here, a file beside this one, a fake in the tests.

mod aws;
mod docker;
mod fetch;
mod imds;
mod lifecycle;
mod probe;
pub mod systemd;
mod table;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use adf_types::{AppName, Config, InstanceId, Receipt, ReleaseName, ReleaseRecord, ReleaseUrl};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

use crate::failure::{Fault, Kind};

/// All outside systems. Cloning shares them.
#[derive(Clone)]
pub struct World {
    pub imds: Arc<dyn Imds>,
    pub docker: Arc<dyn Docker>,
    pub prober: Arc<dyn Prober>,
    pub connect: Arc<dyn Connect>,
}

impl World {
    /// The real ones, found through the standard hooks: `AWS_EC2_METADATA_SERVICE_ENDPOINT`,
    /// `AWS_ENDPOINT_URL` and `DOCKER_HOST`.
    pub fn real(tables: TableNames) -> Self {
        Self {
            imds: Arc::new(imds::HttpImds::from_env()),
            docker: Arc::new(docker::Engine::default()),
            prober: Arc::new(probe::NetProber::new()),
            connect: Arc::new(aws::Sdk { tables }),
        }
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

/// The names of the two tables.
#[derive(Debug, Clone)]
pub struct TableNames {
    pub config: String,
    pub state: String,
}

/// What can be reached once the region is known. Cloning shares the clients.
#[derive(Clone)]
pub struct Aws {
    pub table: Arc<dyn Table>,
    pub fetch: Arc<dyn Fetch>,
    pub lifecycle: Arc<dyn Lifecycle>,
}

impl std::fmt::Debug for Aws {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Aws")
    }
}

#[async_trait]
pub trait Connect: Send + Sync {
    /// Makes clients; calls nothing yet.
    async fn connect(&self, region: &str) -> Aws;
}

/// IMDSv2, one call at a time; retries and token refresh are `identify`'s.
#[async_trait]
pub trait Imds: Send + Sync {
    /// `PUT /latest/api/token`
    async fn token(&self) -> Result<String, ImdsError>;
    /// `GET /latest/<path>`; nothing when the answer is 404.
    async fn get(&self, path: &str, token: &str) -> Result<Option<Bytes>, ImdsError>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImdsError {
    #[error("instance metadata did not answer: {0}")]
    Unreachable(String),
    #[error("instance metadata answered {0}")]
    Status(u16),
    #[error("instance metadata refused the session token")]
    TokenExpired,
    #[error(
        "E121 instance metadata is switched off or refuses this instance (403); check HttpEndpoint and the hop limit"
    )]
    Refused,
}

impl Fault for ImdsError {
    fn kind(&self) -> Kind {
        match self {
            Self::Refused => Kind::Permanent,
            Self::Unreachable(_) | Self::Status(_) | Self::TokenExpired => Kind::Transient,
        }
    }
}

/// The config and state tables.
#[async_trait]
pub trait Table: Send + Sync {
    async fn read_config(&self, app: &AppName, release: &ReleaseName) -> Result<Config, TableError>;
    async fn release(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Option<ReleaseRecord>, TableError>;
    async fn put_receipt(&self, receipt: &Receipt) -> Result<(), TableError>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TableError {
    pub kind: Kind,
    /// Names table, operation and key.
    pub message: String,
}

impl Fault for TableError {
    fn kind(&self) -> Kind {
        self.kind
    }
}

/// Where release archives are.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Opens the archive; the body follows as it arrives.
    async fn open(&self, url: &ReleaseUrl) -> Result<Download, FetchError>;
}

/// An archive on its way.
pub struct Download {
    /// As the server told it; for the error message when the body is no archive.
    pub content_type: Option<String>,
    pub body: BoxStream<'static, Result<Bytes, FetchError>>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("E130 could not connect for {url}: {problem}")]
    Connect { url: String, problem: String },
    #[error(
        "E132 the release was not found or may not be read ({status}) at {url}; check the tag or commit and the access rights"
    )]
    NotFound { url: String, status: String },
    #[error("E133 {url} answered {status}")]
    Server { url: String, status: String },
    #[error("E134 a redirect of {url} was refused: {problem}")]
    Redirect { url: String, problem: String },
    #[error("E135 the download of {url} stopped after {received} bytes: {problem}")]
    Cut { url: String, received: u64, problem: String },
    #[error("E136 the download of {url} is slower than 1 KiB/s")]
    Slow { url: String },
    #[error("E132 cannot read {path}: {problem}")]
    File { path: String, problem: String },
}

impl Fault for FetchError {
    fn kind(&self) -> Kind {
        match self {
            Self::Connect { .. } | Self::Server { .. } | Self::Cut { .. } | Self::Slow { .. } => {
                Kind::Transient
            }
            Self::NotFound { .. } | Self::Redirect { .. } | Self::File { .. } => Kind::Permanent,
        }
    }
}

/// The container engine.
#[async_trait]
pub trait Docker: Send + Sync {
    /// Whether it answers at all.
    async fn ping(&self) -> Result<(), DockerError>;
    async fn image(&self, tag: &str) -> Result<Option<Image>, DockerError>;
    /// Builds and tags an image from a tar stream. An error in the stream ends the request unfinished.
    async fn build(
        &self,
        order: &BuildOrder,
        context: BoxStream<'static, std::io::Result<Bytes>>,
    ) -> Result<(), BuildError>;
    /// The containers, running or not, that carry `label=value`.
    async fn containers(&self, label: &str, value: &str) -> Result<Vec<Container>, DockerError>;
    /// Creates a container and tells its id.
    async fn create(&self, spec: &ContainerSpec) -> Result<String, DockerError>;
    async fn start(&self, id: &str) -> Result<(), DockerError>;
    async fn state(&self, id: &str) -> Result<ContainerState, DockerError>;
    /// The last lines of stdout and stderr.
    async fn logs(&self, id: &str, lines: usize) -> Result<Vec<String>, DockerError>;
    /// SIGTERM, then SIGKILL after `grace`.
    async fn stop(&self, id: &str, grace: Duration) -> Result<(), DockerError>;
    async fn remove(&self, id: &str) -> Result<(), DockerError>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DockerError {
    #[error("E101 Docker is not answering on {host}: {problem}; check: systemctl status docker")]
    NotAnswering { host: String, problem: String },
    #[error("Docker could not {operation}: {problem}")]
    Refused { operation: &'static str, problem: String },
    #[error("E172 port {address} is in use{}; stop what uses it, or set another [run] port in adf.toml", .holder.as_ref().map(|h| format!(" by container \"{h}\"")).unwrap_or_default())]
    PortInUse { address: SocketAddr, holder: Option<String> },
    #[error(
        "E172 the container name \"{0}\" is taken by a container that is not this instance's; remove it: docker rm -f {0}"
    )]
    NameTaken(String),
}

impl Fault for DockerError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotAnswering { .. } => Kind::Transient,
            Self::Refused { .. } | Self::PortInUse { .. } | Self::NameTaken(_) => Kind::Permanent,
        }
    }
}

/// An image as Docker knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// `sha256:...`
    pub id: String,
    pub labels: BTreeMap<String, String>,
    /// The TCP ports of its EXPOSE lines, sorted.
    pub exposed: Vec<u16>,
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

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub id: String,
    pub labels: BTreeMap<String, String>,
    pub running: bool,
}

/// What a container is made of. `Debug` leaves the environment out: its values may be secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct ContainerSpec {
    pub name: String,
    pub image: String,
    pub env: Vec<String>,
    pub labels: BTreeMap<String, String>,
    /// Published on `bind`, the same number inside and outside.
    pub port: Option<u16>,
    pub bind: IpAddr,
    pub memory_bytes: Option<i64>,
    pub pids: i64,
    pub stop_grace: Duration,
}

impl std::fmt::Debug for ContainerSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ContainerSpec")
            .field("name", &self.name)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerState {
    Running,
    Exited {
        code: i64,
        out_of_memory: bool,
    },
    /// There is no such container any more.
    Gone,
}

/// Asks the app whether it is well.
#[async_trait]
pub trait Prober: Send + Sync {
    /// One probe; the error says what was seen instead, such as `503`.
    async fn probe(&self, target: &ProbeTarget, timeout: Duration) -> Result<(), String>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeTarget {
    Http { address: SocketAddr, path: String, status: u16 },
    Tcp { address: SocketAddr },
}

impl std::fmt::Display for ProbeTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http { address, path, .. } => write!(f, "http://{address}{path}"),
            Self::Tcp { address } => write!(f, "tcp {address}"),
        }
    }
}

/// The Auto Scaling group of the instance, where it has one.
#[async_trait]
pub trait Lifecycle: Send + Sync {
    /// `DescribeAutoScalingInstances`; nothing for an instance outside any group.
    async fn membership(&self, instance: &InstanceId) -> Result<Option<Membership>, LifecycleError>;
    /// `DescribeLifecycleHooks`: the launch hooks of a group.
    async fn launch_hooks(&self, group: &str) -> Result<Vec<LaunchHook>, LifecycleError>;
    /// `CompleteLifecycleAction`
    async fn complete(
        &self,
        group: &str,
        hook: &str,
        instance: &InstanceId,
        result: ActionResult,
    ) -> Result<Completion, LifecycleError>;
    /// `RecordLifecycleActionHeartbeat`
    async fn heartbeat(&self, group: &str, hook: &str, instance: &InstanceId) -> Result<(), LifecycleError>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub group: String,
    /// AWS's own word, such as `Pending:Wait` or `InService`; new words appear, so it stays a string.
    pub state: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchHook {
    pub name: String,
    pub heartbeat: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionResult {
    Continue,
    Abandon,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    Completed,
    /// `No active Lifecycle Action found`: it was completed before, or it timed out.
    NoActiveAction,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifecycleError {
    #[error("the role of this instance may not call {operation}: {problem}")]
    Denied { operation: &'static str, problem: String },
    #[error("{operation} failed: {problem}")]
    Failed { operation: &'static str, problem: String },
}

impl Fault for LifecycleError {
    fn kind(&self) -> Kind {
        match self {
            Self::Denied { .. } => Kind::Permanent,
            Self::Failed { .. } => Kind::Transient,
        }
    }
}
