//! Docker, through its API.
//!
//! Neighbours: `build/` streams a build, `body.rs` turns a container spec into Docker's words, `error.rs`
//! turns its errors into ours. The rule: the connection is made on the first call and made again after a
//! failure, so that an agent that starts before Docker needs no restart.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use adf_types::{Digest, ImageRef};
use async_trait::async_trait;
use bollard::Docker as Client;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, ListImagesOptionsBuilder,
    LogsOptionsBuilder, PruneBuildOptionsBuilder, RemoveContainerOptionsBuilder, RemoveImageOptions,
    StopContainerOptionsBuilder,
};
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use tokio::sync::OnceCell;

use super::error::{is_missing, refused};
use super::{
    BuildError, BuildOrder, Container, ContainerSpec, ContainerState, Docker, DockerError, Healthcheck,
    Image, ListedImage, Owner, Stock, body, build, error, owner, transfer, wire,
};
use crate::world::{Credentials, RegistryError};

/// Docker stops a container within the grace that it is told; its answer may take a little longer.
const STOP_MARGIN: Duration = Duration::from_secs(30);

/// Gigabytes of small files are unlinked one by one.
const PRUNE_LIMIT: Duration = Duration::from_mins(5);

#[derive(Default)]
pub(in crate::world) struct Engine {
    client: OnceCell<Client>,
}

impl Engine {
    async fn client(&self) -> Result<&Client, DockerError> {
        let connect = async || {
            let client = Client::connect_with_defaults().map_err(|e| error::not_answering(&e))?;
            client.negotiate_version().await.map_err(|e| error::not_answering(&e))
        };
        self.client.get_or_try_init(connect).await
    }
}

#[async_trait]
impl Docker for Engine {
    async fn ping(&self) -> Result<(), DockerError> {
        self.client().await?.ping().await.map(|_| ()).map_err(|e| refused("answer a ping", e))
    }

    async fn image(&self, tag: &str) -> Result<Option<Image>, DockerError> {
        match self.client().await?.inspect_image(tag).await {
            Ok(found) => Ok(Some(image(found))),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(refused("inspect an image", error)),
        }
    }

    async fn build(
        &self,
        order: &BuildOrder,
        context: BoxStream<'static, std::io::Result<Bytes>>,
    ) -> Result<(), BuildError> {
        build::run(order, context).await
    }

    async fn data_root(&self) -> Result<Option<PathBuf>, DockerError> {
        if !matches!(wire::Address::from_env(), Ok(wire::Address::Unix(_))) {
            return Ok(None);
        }
        let info = self.client().await?.info().await.map_err(|e| refused("tell about itself", e))?;
        Ok(info.docker_root_dir.map(PathBuf::from))
    }

    async fn stock(&self) -> Result<Stock, DockerError> {
        let client = self.client().await?;
        let all = ListImagesOptionsBuilder::default().all(false).build();
        let images = client.list_images(Some(all)).await.map_err(|e| refused("list images", e))?;
        let all = ListContainersOptionsBuilder::default().all(true).build();
        let containers =
            client.list_containers(Some(all)).await.map_err(|e| refused("list containers", e))?;
        let mut images: Vec<_> = images.into_iter().map(listed_image).collect();
        for image in images.iter_mut().filter(|image| image.labels.contains_key("adf.app")) {
            image.tagged = last_tagged(client, &image.id).await?;
        }
        Ok(Stock { images, used: containers.into_iter().filter_map(|c| c.image_id).collect() })
    }

    async fn remove_image(&self, tag: &str) -> Result<(), DockerError> {
        match self.client().await?.remove_image(tag, None::<RemoveImageOptions>, None).await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(refused("remove an image", error)),
        }
    }

    async fn empty_build_cache(&self) -> Result<(), DockerError> {
        let options = PruneBuildOptionsBuilder::default().all(true).build();
        let client = self.client().await?.clone().with_timeout(PRUNE_LIMIT);
        client.prune_build(Some(options)).await.map(|_| ()).map_err(|e| refused("empty its build cache", e))
    }

    async fn pull(&self, image: &ImageRef, login: Option<&Credentials>) -> Result<(), RegistryError> {
        transfer::pull(self.client().await?, image, login).await
    }

    async fn tag(&self, image: &str, tag: &str) -> Result<(), DockerError> {
        transfer::tag(self.client().await?, image, tag).await
    }

    async fn push(&self, image: &ImageRef, login: Option<&Credentials>) -> Result<Digest, RegistryError> {
        transfer::push(self.client().await?, image, login).await
    }

    async fn containers(&self, label: &str, value: &str) -> Result<Vec<Container>, DockerError> {
        let filters = HashMap::from([("label", vec![format!("{label}={value}")])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let found = self.client().await?.list_containers(Some(options)).await;
        let found = found.map_err(|e| refused("list containers", e))?;
        Ok(found.into_iter().filter_map(container).collect())
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<String, DockerError> {
        let options = CreateContainerOptionsBuilder::default().name(&spec.name).build();
        let created = self.client().await?.create_container(Some(options), body::create(spec)).await;
        match created {
            Ok(created) => Ok(created.id),
            Err(error) if error::is_conflict(&error) => Err(DockerError::NameTaken(spec.name.clone())),
            Err(error) => Err(refused("create the container", error)),
        }
    }

    async fn owner(&self, id: &str) -> Result<Owner, DockerError> {
        owner::of(self.client().await?, id).await
    }

    async fn start(&self, id: &str) -> Result<(), DockerError> {
        match self.client().await?.start_container(id, None).await {
            Ok(()) => Ok(()),
            Err(error) => match error::port_in_use(&error) {
                Some(address) => Err(DockerError::PortInUse { address, holder: self.holder(address).await }),
                None => Err(refused("start the container", error)),
            },
        }
    }

    async fn state(&self, id: &str) -> Result<ContainerState, DockerError> {
        let found = match self.client().await?.inspect_container(id, None).await {
            Ok(found) => found.state.unwrap_or_default(),
            Err(error) if is_missing(&error) => return Ok(ContainerState::Gone),
            Err(error) => return Err(refused("inspect the container", error)),
        };
        if found.running == Some(true) {
            return Ok(ContainerState::Running);
        }
        let code = found.exit_code.unwrap_or_default();
        Ok(ContainerState::Exited { code, out_of_memory: found.oom_killed == Some(true) })
    }

    async fn healthcheck(&self, id: &str) -> Result<Healthcheck, DockerError> {
        match self.client().await?.inspect_container(id, None).await {
            Ok(found) => Ok(healthcheck(found.state.and_then(|state| state.health))),
            Err(error) => Err(refused("inspect the container", error)),
        }
    }

    async fn logs(&self, id: &str, lines: usize) -> Result<Vec<String>, DockerError> {
        let options =
            LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&lines.to_string()).build();
        let pieces: Vec<_> = self
            .client()
            .await?
            .logs(id, Some(options))
            .try_collect()
            .await
            .map_err(|e| refused("read the container's log", e))?;
        let text: String = pieces.iter().map(ToString::to_string).collect();
        let all: Vec<String> = text.lines().map(crate::log::printable).collect();
        Ok(all[all.len().saturating_sub(lines)..].to_vec())
    }

    async fn stop(&self, id: &str, grace: Duration) -> Result<(), DockerError> {
        let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::default().t(seconds).build();
        let client = self.client().await?.clone().with_timeout(grace + STOP_MARGIN);
        match client.stop_container(id, Some(options)).await {
            Ok(()) => Ok(()),
            Err(error) if is_missing(&error) || error::is_unchanged(&error) => Ok(()),
            Err(error) => Err(refused("stop the container", error)),
        }
    }

    async fn remove(&self, id: &str) -> Result<(), DockerError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match self.client().await?.remove_container(id, Some(options)).await {
            Ok(()) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(refused("remove the container", error)),
        }
    }
}

impl Engine {
    /// The running container that publishes the port of `address`; looked up for the error message only.
    async fn holder(&self, address: SocketAddr) -> Option<String> {
        let all = self.client().await.ok()?.list_containers(None).await.ok()?;
        let publishes = |ip: Option<&str>, port: Option<u16>| {
            let ip: Option<std::net::IpAddr> = ip.and_then(|ip| ip.parse().ok());
            port == Some(address.port())
                && ip.is_none_or(|ip| {
                    ip == address.ip() || ip.is_unspecified() || address.ip().is_unspecified()
                })
        };
        let holder = all
            .into_iter()
            .find(|c| c.ports.iter().flatten().any(|p| publishes(p.ip.as_deref(), p.public_port)))?;
        Some(holder.names?.first()?.trim_start_matches('/').to_owned())
    }
}

fn image(found: bollard::models::ImageInspect) -> Image {
    let config = found.config.unwrap_or_default();
    let ports = config.exposed_ports.unwrap_or_default();
    let mut exposed: Vec<u16> =
        ports.iter().filter_map(|p| p.strip_suffix("/tcp").unwrap_or(p).parse().ok()).collect();
    exposed.sort_unstable();
    Image {
        id: found.id.unwrap_or_default(),
        labels: config.labels.unwrap_or_default().into_iter().collect(),
        exposed,
        repo_digests: found.repo_digests.unwrap_or_default(),
    }
}

fn listed_image(found: bollard::models::ImageSummary) -> ListedImage {
    ListedImage {
        id: found.id,
        tags: found.repo_tags.into_iter().filter(|tag| tag != "<none>:<none>").collect(),
        labels: found.labels.into_iter().collect(),
        tagged: None,
    }
}

/// Docker's list of images leaves this out.
async fn last_tagged(client: &Client, id: &str) -> Result<Option<SystemTime>, DockerError> {
    match client.inspect_image(id).await {
        Ok(image) => Ok(image.metadata.and_then(|metadata| metadata.last_tag_time).map(SystemTime::from)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(refused("inspect an image", error)),
    }
}

fn container(found: bollard::models::ContainerSummary) -> Option<Container> {
    use bollard::models::ContainerSummaryStateEnum as State;
    Some(Container {
        id: found.id?,
        labels: found.labels.unwrap_or_default().into_iter().collect(),
        running: found.state == Some(State::RUNNING),
    })
}

fn healthcheck(found: Option<bollard::models::Health>) -> Healthcheck {
    use bollard::models::HealthStatusEnum as Status;
    let Some(found) = found else { return Healthcheck::Absent };
    match found.status {
        Some(Status::STARTING) => Healthcheck::Starting,
        Some(Status::HEALTHY) => Healthcheck::Healthy,
        Some(Status::UNHEALTHY) => {
            let printed = found.log.unwrap_or_default().pop().and_then(|run| run.output).unwrap_or_default();
            Healthcheck::Unhealthy { last: crate::log::printable(printed.trim()) }
        }
        Some(Status::NONE | Status::EMPTY) | None => Healthcheck::Absent,
    }
}
