//! Stage start: adopt the container that already runs, or replace our own and start a new one.
//!
//! The rule: a container of this instance that has the same image and the same config is left running; any
//! other container of this instance is replaced; a container that is not this instance's is never touched.

mod spec;

use std::net::SocketAddr;
use std::time::Duration;

use adf_types::{Health, Receipt, RunSection};

use crate::agent::Agent;
use crate::claim::Order;
use crate::failure::Failure;
use crate::prepare::Prepared;
use crate::report::Reached;
use crate::retry::{Schedule, retry};
use crate::settings::Settings;
use crate::world::{Container, DockerError, ProbeTarget};

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
    /// Nothing for a worker: it is well while it runs.
    pub probe: Option<ProbeTarget>,
}

impl Reached for Started {
    fn record(&self, _: &mut Receipt) {}
}

pub async fn start(agent: &Agent, prepared: Prepared) -> Result<Started, Failure> {
    let run = prepared.image.settings.parsed.run.clone();
    let port = port(&run, &prepared.image.image.exposed)?;
    let spec = container_spec(&prepared, &agent.settings, &run, port);
    let same = |c: &&Container| c.running && c.labels == spec.labels;
    let container = if let Some(running) = prepared.containers.iter().find(same) {
        tracing::info!(container = running.id, "the container already runs with this image and config");
        running.id.clone()
    } else {
        replace(agent, &prepared.containers, run.stop_grace).await?;
        let create = async || agent.world.docker.create(&spec).await;
        let id = retry(&DOCKER_CALLS, &agent.reporter, create).await?;
        launch(agent, &id).await?;
        id
    };
    let probe = port.map(|port| target(&run.health, &agent.settings, port));
    Ok(Started { order: prepared.order, container, run, probe })
}

/// Stops and removes this instance's earlier containers.
async fn replace(agent: &Agent, containers: &[Container], grace: Duration) -> Result<(), Failure> {
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
async fn launch(agent: &Agent, id: &str) -> Result<(), Failure> {
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

fn target(health: &Health, settings: &Settings, port: u16) -> ProbeTarget {
    let address = SocketAddr::new(settings.probe_address(), port);
    match health {
        Health::Http { path, status } => ProbeTarget::Http { address, path: path.clone(), status: *status },
        Health::Tcp => ProbeTarget::Tcp { address },
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
