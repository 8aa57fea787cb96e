//! The container engine, in our words.
//!
//! | file | what |
//! | --- | --- |
//! | `image.rs`, `container.rs` | plain data that stages see |
//! | `engine.rs` | the real engine, through its API |
//! | `build/` | one build, streamed |
//! | `session.rs`, `wire.rs` | what BuildKit asks of us meanwhile, and how builds reach Docker |
//! | `transfer.rs` | images from and to registries |
//! | `body.rs` | a container spec in Docker's words: an app's confinement |
//! | `owner.rs` | as whom a container runs |
//! | `error.rs` | Docker's errors in our words |

mod body;
mod build;
mod container;
mod engine;
mod error;
mod image;
mod owner;
mod session;
mod transfer;
mod wire;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use adf_types::{Digest, ImageRef};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

pub use build::{BuildError, BuildProblem, gib};
pub use container::{Container, ContainerSpec, ContainerState, Healthcheck, SecretFiles};
pub(in crate::world) use engine::Engine;
pub use image::{BuildOrder, Builder, Image, KeyringGiver, KeyringSoon, ListedImage, SecretValues, Stock};
pub use owner::Owner;

use super::{Credentials, RegistryError};
use crate::failure::{Fault, Kind};

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
    /// Pulls an image, by its digest where it has one.
    async fn pull(&self, image: &ImageRef, login: Option<&Credentials>) -> Result<(), RegistryError>;
    /// Gives an image one more name.
    async fn tag(&self, image: &str, tag: &str) -> Result<(), DockerError>;
    /// Pushes an image by its tag and tells its digest.
    async fn push(&self, image: &ImageRef, login: Option<&Credentials>) -> Result<Digest, RegistryError>;
    /// The folder of its images, where that is on this host.
    async fn data_root(&self) -> Result<Option<PathBuf>, DockerError>;
    async fn stock(&self) -> Result<Stock, DockerError>;
    /// Removes a tag, and the image with its last tag; an image that is in use stays.
    async fn remove_image(&self, tag: &str) -> Result<(), DockerError>;
    /// Empties the build cache of what no build is using.
    async fn empty_build_cache(&self) -> Result<(), DockerError>;
    /// The containers, running or not, that carry `label=value`.
    async fn containers(&self, label: &str, value: &str) -> Result<Vec<Container>, DockerError>;
    /// Creates a container and tells its id.
    async fn create(&self, spec: &ContainerSpec) -> Result<String, DockerError>;
    /// As whom a created container will run.
    async fn owner(&self, _id: &str) -> Result<Owner, DockerError> {
        Ok(Owner::ROOT)
    }
    async fn start(&self, id: &str) -> Result<(), DockerError>;
    async fn state(&self, id: &str) -> Result<ContainerState, DockerError>;
    /// How the HEALTHCHECK of the container's image stands.
    async fn healthcheck(&self, id: &str) -> Result<Healthcheck, DockerError>;
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
    #[error("E112 Docker could not {operation}: {problem}")]
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
