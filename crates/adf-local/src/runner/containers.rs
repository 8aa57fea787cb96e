//! What machines leave in Docker: containers labelled with their instance, images under adf-local's prefix.

use std::collections::HashMap;
use std::time::Duration;

use bollard::errors::Error;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveContainerOptionsBuilder,
    RemoveImageOptionsBuilder, StopContainerOptions,
};

/// How long Docker may take to say that it is there.
const PING_LIMIT: Duration = Duration::from_secs(5);
const INSTANCE: &str = "adf.instance";
const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";

/// The Docker Engine of this machine.
#[derive(Debug, Clone)]
pub struct Docker(bollard::Docker);

/// What Docker would not do.
#[derive(Debug, thiserror::Error)]
pub enum DockerError {
    #[error(
        "Docker does not answer on {host}; start it (`systemctl start docker`), or set DOCKER_HOST to where it listens, \
         or run `adf-local up --no-runner`, which needs no Docker but starts no instances either"
    )]
    NotAnswering { host: String, source: Option<Error> },
    #[error("Docker could not {what}")]
    Failed { what: String, source: Error },
}

impl Docker {
    /// The engine at `DOCKER_HOST`, or at its usual socket, that has answered.
    pub async fn connect() -> Result<Self, DockerError> {
        let host = std::env::var("DOCKER_HOST").unwrap_or_else(|_| DEFAULT_HOST.to_owned());
        let silent = |source| DockerError::NotAnswering { host: host.clone(), source };
        let docker = bollard::Docker::connect_with_host(&host).map_err(|error| silent(Some(error)))?;
        match tokio::time::timeout(PING_LIMIT, docker.ping()).await {
            Ok(Ok(_)) => Ok(Self(docker)),
            Ok(Err(error)) => Err(silent(Some(error))),
            Err(_) => Err(silent(None)),
        }
    }

    pub(super) async fn stop_containers(&self, instance: &str) -> Result<(), DockerError> {
        for id in self.containers(instance).await? {
            let stopped = self.0.stop_container(&id, None::<StopContainerOptions>).await;
            done(stopped, &[304, 404], || format!("stop container {id} of instance {instance}"))?;
        }
        Ok(())
    }

    pub(super) async fn remove_containers(&self, instance: &str) -> Result<(), DockerError> {
        for id in self.containers(instance).await? {
            self.remove_container(&id).await?;
        }
        Ok(())
    }

    /// Removes every image named `<prefix>/...`, and every container that was made from one.
    pub(super) async fn remove_images(&self, prefix: &str) -> Result<(), DockerError> {
        let filters = HashMap::from([("reference", vec![format!("{prefix}/*")])]);
        let which = ListImagesOptionsBuilder::new().filters(&filters).build();
        let failed =
            |source| DockerError::Failed { what: format!("list the images named {prefix}/*"), source };
        for image in self.0.list_images(Some(which)).await.map_err(failed)? {
            for name in image.repo_tags.iter().filter(|name| name.starts_with(&format!("{prefix}/"))) {
                self.remove_containers_of(name).await?;
                let how = RemoveImageOptionsBuilder::new().force(true).build();
                let removed = self.0.remove_image(name, Some(how), None).await;
                done(removed, &[404], || format!("remove image {name}"))?;
            }
        }
        Ok(())
    }

    async fn remove_containers_of(&self, image: &str) -> Result<(), DockerError> {
        for id in self.list("ancestor", image.to_owned()).await? {
            self.remove_container(&id).await?;
        }
        Ok(())
    }

    async fn remove_container(&self, id: &str) -> Result<(), DockerError> {
        let how = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        let removed = self.0.remove_container(id, Some(how)).await;
        // 409: somebody is removing it already.
        done(removed, &[404, 409], || format!("remove container {id}"))
    }

    async fn containers(&self, instance: &str) -> Result<Vec<String>, DockerError> {
        self.list("label", format!("{INSTANCE}={instance}")).await
    }

    async fn list(&self, filter: &str, value: String) -> Result<Vec<String>, DockerError> {
        let what = format!("list containers with {filter} {value}");
        let filters = HashMap::from([(filter, vec![value])]);
        let which = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
        let all = self
            .0
            .list_containers(Some(which))
            .await
            .map_err(|source| DockerError::Failed { what, source })?;
        Ok(all.into_iter().filter_map(|container| container.id).collect())
    }
}

/// What is already so is as good as done; `fine` are the statuses with which Docker says that.
fn done<T>(
    outcome: Result<T, Error>,
    fine: &[u16],
    what: impl FnOnce() -> String,
) -> Result<(), DockerError> {
    match outcome {
        Ok(_) => Ok(()),
        Err(Error::DockerResponseServerError { status_code, .. }) if fine.contains(&status_code) => Ok(()),
        Err(source) => Err(DockerError::Failed { what: what(), source }),
    }
}
