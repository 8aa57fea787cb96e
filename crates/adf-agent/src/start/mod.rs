//! Stage start: adopt the container that already runs, or replace our own and start a new one.
//!
//! The rule: a container of this instance that has the same image and the same config is left running; any
//! other container of this instance is replaced; a container that is not this instance's is never touched.

mod memory;
pub mod secrets;
mod spec;

use std::path::PathBuf;
use std::time::Duration;

use adf_types::{Receipt, RunSection};

use crate::agent::Agent;
use crate::claim::Order;
use crate::failure::Failure;
use crate::guard;
use crate::health::Check;
use crate::prepare::Prepared;
use crate::report::Reached;
use crate::retry::{Schedule, retry};
use crate::world::{Container, ContainerSpec, DockerError};

pub use secrets::INSIDE;
pub use spec::container_spec;

/// Docker answers slowly right after its own start: 0.5, 1, 2, 4 s.
const DOCKER_CALLS: Schedule = Schedule {
    what: "Docker",
    first: Duration::from_millis(500),
    factor: 2.0,
    max: Duration::from_secs(4),
    tries: 5,
    jitter: false,
};

/// A port is held a moment longer by a container that is just being removed.
const PORT_RETRY: Duration = Duration::from_secs(1);
const PORT_TRIES: u32 = 3;

/// A container that runs, and how it is asked whether it is well.
#[derive(Debug, Clone)]
pub struct Started {
    pub order: Order,
    pub container: String,
    pub run: RunSection,
    /// What tells that it is well.
    pub check: Check,
    /// Where its secrets are, when it has them as files.
    pub secrets: Option<PathBuf>,
}

impl Reached for Started {
    fn record(&self, _: &mut Receipt) {}
}

/// The container that was prepared, before it exists.
#[derive(Debug)]
pub struct Plan {
    pub order: Order,
    pub run: RunSection,
    pub check: Check,
    pub spec: ContainerSpec,
}

impl Plan {
    pub fn of(agent: &Agent, prepared: &Prepared) -> Result<Self, Failure> {
        let run = prepared.image.settings.parsed.run.clone();
        let port = port(&run, &prepared.image.image.exposed)?;
        let mut spec = container_spec(prepared, &agent.settings, &run, port);
        let host = || agent.world.host.memory().map(memory::default_limit);
        spec.memory_bytes = spec.memory_bytes.or_else(host);
        let check = Check::of(&run, &agent.settings, port);
        Ok(Self { order: prepared.order.clone(), run, check, spec })
    }

    /// Whether this container runs what was planned: labels say all that a container is made of.
    pub fn is(&self, container: &Container) -> bool {
        container.running && container.labels == self.spec.labels
    }

    pub fn started(self, agent: &Agent, container: String) -> Started {
        agent.reporter.container(&container);
        let secrets = self.spec.secrets.map(|secrets| secrets.folder);
        Started { order: self.order, container, run: self.run, check: self.check, secrets }
    }
}

pub async fn start(agent: &Agent, prepared: Prepared) -> Result<Started, Failure> {
    guard::stand(agent).await?;
    let plan = Plan::of(agent, &prepared)?;
    let (same, other): (Vec<_>, Vec<_>) = prepared.containers.iter().partition(|c| plan.is(c));
    replace(agent, &other, plan.run.stop_grace).await?;
    let container = if let Some(running) = same.first() {
        tracing::info!(container = running.id, "the container already runs with this image and config");
        running.id.clone()
    } else {
        let id = create(agent, &plan.spec).await?;
        launch(agent, &id).await?;
        id
    };
    let started = plan.started(agent, container);
    secrets::keep_only(&agent.settings.run_dir, started.secrets.as_deref());
    Ok(started)
}

pub async fn create(agent: &Agent, spec: &ContainerSpec) -> Result<String, Failure> {
    guard::stand(agent).await?;
    if let Some(secrets) = &spec.secrets {
        secrets::write(secrets)?;
    }
    let create = async || agent.world.docker.create(spec).await;
    let id = retry(&DOCKER_CALLS, &agent.reporter, create).await?;
    if let Some(secrets) = &spec.secrets
        && let Err(failure) = secrets::give(agent.world.docker.as_ref(), &id, secrets).await
    {
        let _ = agent.world.docker.remove(&id).await;
        return Err(failure);
    }
    Ok(id)
}

/// Stops and removes this instance's earlier containers.
async fn replace(agent: &Agent, containers: &[&Container], grace: Duration) -> Result<(), Failure> {
    for old in containers {
        tracing::info!(
            container = old.id,
            running = old.running,
            "replacing this instance's earlier container"
        );
        agent.world.docker.stop(&old.id, grace).await?;
        agent.world.docker.remove(&old.id).await?;
    }
    Ok(())
}

/// Starts a created container; one that cannot start is removed again.
pub async fn launch(agent: &Agent, id: &str) -> Result<(), Failure> {
    let docker = &agent.world.docker;
    for tried in 1.. {
        match docker.start(id).await {
            Ok(()) => return Ok(()),
            Err(DockerError::PortInUse { address, .. }) if tried < PORT_TRIES => {
                tracing::warn!(%address, tried, "the port is in use; trying again");
                tokio::time::sleep(PORT_RETRY).await;
            }
            Err(error) => {
                if let Err(left) = docker.remove(id).await {
                    tracing::warn!("the container {id} that did not start was left behind: {left}");
                }
                return Err(error.into());
            }
        }
    }
    Ok(())
}

/// adf.toml's port, else the image's only EXPOSE; none for a worker.
fn port(run: &RunSection, exposed: &[u16]) -> Result<Option<u16>, Failure> {
    match (run.port, exposed) {
        (Some(port), _) => Ok(Some(port)),
        (None, [only]) => Ok(Some(*only)),
        (None, []) => Ok(None),
        (None, several) => Err(Failure::permanent(format!(
            "E173 the image exposes {} ports ({several:?}); name the one to serve in adf.toml: [run] port = {}",
            several.len(),
            several[0]
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_comes_from_adf_toml_then_from_the_only_expose() {
        let run = |port| RunSection { port, ..RunSection::default() };
        assert_eq!(port(&run(Some(80)), &[8080, 9090]), Ok(Some(80)));
        assert_eq!(port(&run(None), &[8080]), Ok(Some(8080)));
        assert_eq!(port(&run(None), &[]), Ok(None));
        let error = port(&run(None), &[8080, 9090]).expect_err("which one?");
        assert!(error.reason.contains("[8080, 9090]") && error.reason.contains("[run] port"), "{error}");
    }
}
