//! `adf-agent run`: boot, then supervise; and what happens when either ends.

use std::time::Duration;

use adf_types::{InstanceState, Stage};

use crate::agent::Agent;
use crate::boot::boot;
use crate::claim::INSTANCE_LABEL;
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::report::Delivery;
use crate::supervise::{LAST_RECEIPT, supervise};
use crate::world::{ActionResult, systemd};

/// What telling the group may take when the agent ends; the hook's own timeout ends it otherwise.
const ABANDON_WAIT: Duration = Duration::from_secs(30);

/// What a container may take to stop that never served.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Runs until `stop` resolves or the boot fails.
pub async fn run(agent: &Agent, stop: impl Future<Output = ()>) -> Exit {
    let mut stop = std::pin::pin!(stop);
    let booted = tokio::select! {
        () = &mut stop => None,
        result = boot(agent) => Some(result),
    };
    match booted {
        None => interrupted(agent).await,
        Some(Err(failure)) => failed(agent, failure).await,
        Some(Ok(serving)) => {
            tracing::info!(stage = Stage::Supervise.as_str(), "serving");
            supervise(agent, serving, stop).await;
            Exit::Stopped
        }
    }
}

/// Told to stop before the app served: the group must not wait for this instance.
async fn interrupted(agent: &Agent) -> Exit {
    tracing::info!("I183 told to stop during the boot");
    systemd::stopping();
    stop_containers(agent).await;
    agent.reporter.publish(InstanceState::Stopped);
    tokio::join!(agent.reporter.flush(LAST_RECEIPT), abandon(agent));
    Exit::Stopped
}

/// The boot failed: say so everywhere, and as the last line on the console.
async fn failed(agent: &Agent, failure: Failure) -> Exit {
    let Some(hook) = agent.hook() else {
        return last_words(&failure);
    };
    let stage = failure.stage.unwrap_or(Stage::Claim);
    systemd::status(&format!("failed in {stage}: {}", failure.reason));
    stop_containers(agent).await;
    agent.reporter.publish(InstanceState::Failed {
        stage,
        reason: failure.reason.clone(),
        log_tail: failure.log_tail.clone(),
    });
    let abandon = hook.complete(ActionResult::Abandon, ABANDON_WAIT);
    let (delivery, ()) = tokio::join!(agent.reporter.flush(LAST_RECEIPT), abandon);
    if delivery == Delivery::Late {
        tracing::warn!("the receipt could not be written");
    }
    for line in &failure.log_tail {
        tracing::error!("| {line}");
    }
    // The boot's time is over, or trying again cannot help: either way this instance is given up.
    last_words(&Failure { kind: Kind::Permanent, ..failure })
}

fn last_words(failure: &Failure) -> Exit {
    let stage = failure.stage.map_or("", Stage::as_str);
    tracing::error!(stage, "failed: {}", failure.reason);
    eprintln!("adf-agent: failed in {stage}: {}", failure.reason);
    match failure.kind {
        Kind::Permanent => Exit::Permanent,
        Kind::Transient => Exit::Transient,
    }
}

async fn abandon(agent: &Agent) {
    if let Some(hook) = agent.hook() {
        hook.complete(ActionResult::Abandon, ABANDON_WAIT).await;
    }
}

/// A container of a boot that did not succeed must not keep the port or go on writing.
async fn stop_containers(agent: &Agent) {
    let Some(hook) = agent.hook() else { return };
    let docker = &agent.world.docker;
    let found = docker.containers(INSTANCE_LABEL, hook.instance().as_str()).await;
    for container in found.unwrap_or_default().into_iter().filter(|c| c.running) {
        if let Err(error) = docker.stop(&container.id, STOP_GRACE).await {
            tracing::warn!("the container {} was not stopped: {error}", container.id);
        }
    }
}
