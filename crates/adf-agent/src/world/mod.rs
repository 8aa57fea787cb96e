//! Everything outside this process, in our own words: one small trait per outside system.
//!
//! This folder is the only one that imports bollard, reqwest, AWS SDKs and adf-store. Stages see the traits
//! and plain data below; tests put scripted fakes in their place.
//!
//! | trait | outside system | real one |
//! | --- | --- | --- |
//! | [`Imds`] | instance metadata | `imds/` |
//! | [`Docker`] | the container engine | `docker/` |
//! | [`Guard`] | the packet filter before instance metadata | `guard/` |
//! | [`Host`] | the machine below Docker: memory and disk | `host/` |
//! | [`Prober`] | the app itself, asked over HTTP or TCP | `probe/` |
//! | [`Connect`] | AWS, once the region is known | `aws.rs` |
//! | [`Table`] | the config and state tables | `table/` |
//! | [`Fetch`] | where release archives are | `fetch/` |
//! | [`Ecr`] | Amazon's image registries | `registry/` |
//! | [`Lifecycle`] | the Auto Scaling group | `lifecycle/` |
//!
//! To add an outside system: a folder here whose `mod.rs` has the trait, its error and its words and whose other
//! files are the real one; a fake in the tests.

mod aws;
#[cfg(feature = "failpoints")]
mod crossing;
mod docker;
mod fetch;
mod guard;
mod host;
mod imds;
mod lifecycle;
mod probe;
mod registry;
pub mod systemd;
mod table;

use std::sync::Arc;

use async_trait::async_trait;

use crate::settings::Settings;

pub use docker::{
    BuildError, BuildOrder, BuildProblem, Builder, Container, ContainerSpec, ContainerState, Docker,
    DockerError, Healthcheck, Image, KeyringGiver, KeyringSoon, ListedImage, Owner, SecretFiles,
    SecretValues, Stock, gib,
};
pub use fetch::{Access, ConnectStep, Download, Fetch, FetchError, wants_token};
pub use guard::{Guard, GuardError, Nft};
#[cfg(test)]
pub(crate) use host::Linux;
pub use host::{Disk, Host};
pub use imds::{Imds, ImdsError, MetadataSession};
pub use lifecycle::{
    ActionResult, Completion, Lifecycle, LifecycleError, LifecycleHook, Membership, Transition,
};
pub use probe::{ProbeTarget, Prober};
pub use registry::{Credentials, Ecr, EcrHost, Keyring, RegistryError};
pub use table::{Table, TableError};

/// All outside systems. Cloning shares them.
#[derive(Clone)]
pub struct World {
    pub imds: Arc<dyn Imds>,
    pub docker: Arc<dyn Docker>,
    pub prober: Arc<dyn Prober>,
    pub connect: Arc<dyn Connect>,
    pub guard: Arc<dyn Guard>,
    pub host: Arc<dyn Host>,
}

impl World {
    /// The real ones, found through the standard hooks: `AWS_EC2_METADATA_SERVICE_ENDPOINT`,
    /// `AWS_ENDPOINT_URL` and `DOCKER_HOST`.
    pub fn real(settings: &Settings) -> Self {
        let world = Self {
            imds: Arc::new(imds::HttpImds::from_env()),
            docker: Arc::new(docker::Engine::default()),
            prober: Arc::new(probe::NetProber::new()),
            connect: Arc::new(aws::Sdk { settings: settings.clone() }),
            guard: Arc::new(Nft),
            host: Arc::new(host::Linux),
        };
        #[cfg(feature = "failpoints")]
        let world = world.through_failpoints();
        world
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("World")
    }
}

/// What can be reached once the region is known. Cloning shares the clients.
#[derive(Clone)]
pub struct Aws {
    pub table: Arc<dyn Table>,
    pub fetch: Arc<dyn Fetch>,
    pub ecr: Arc<dyn Ecr>,
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
