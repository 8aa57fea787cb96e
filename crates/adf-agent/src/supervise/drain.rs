//! The end of an app that serves: it finishes its requests, is stopped, and whoever waits for that is told.
//!
//! SIGTERM is all an app learns of a drain: a server that is told to stop answers what it has and takes no more.
//! After an announcement the load balancer gets a moment first to send nothing new.

use std::time::Duration;

use adf_types::InstanceState;

use crate::agent::Agent;
use crate::claim::INSTANCE_LABEL;
use crate::notice::Leaving;
use crate::start::{Started, secrets};
use crate::world::{ActionResult, Transition, systemd};

/// What a receipt may be late by when the agent ends.
pub const LAST_RECEIPT: Duration = Duration::from_secs(5);

/// All of a drain: `TimeoutStopSec=` of adf-agent.service and a Spot notice are longer.
const DRAIN_LIMIT: Duration = Duration::from_secs(90);

/// A load balancer's nodes learn within seconds that an instance leaves; until then it answers.
const SETTLE: Duration = Duration::from_secs(5);

/// Of the notice's time, what is kept for the last receipt and the group.
const MARGIN: Duration = Duration::from_secs(10);

/// What telling the group may take once the app is down; a hook's own timeout ends it otherwise.
const GROUP_WAIT: Duration = Duration::from_secs(30);

pub(super) async fn drain(agent: &Agent, started: &Started, why: &Leaving) {
    let (settle, grace) = times(why, started.run.stop_grace);
    tracing::info!(?settle, ?grace, "I183 {why}: draining");
    systemd::stopping(&format!("draining: {why}"));
    agent.reporter.update(|receipt| {
        receipt.state = InstanceState::Draining;
        if *why != Leaving::Told {
            receipt.notice = Some(format!("I183 {why}"));
        }
    });
    // Its heartbeats go on until it is completed.
    let hook = match why {
        Leaving::Group { .. } => agent.hook().map(|hook| hook.of(Transition::Terminating)),
        Leaving::Told | Leaving::Spot { .. } => None,
    };
    tokio::time::sleep(settle).await;
    stop_all(agent, Some(&started.container), grace).await;
    agent.reporter.publish(InstanceState::Stopped);
    let told = async {
        if let Some(hook) = &hook {
            hook.complete(ActionResult::Continue, GROUP_WAIT).await;
        }
    };
    tokio::join!(agent.reporter.flush(LAST_RECEIPT), told);
}

/// How long the app goes on as before, and how long it may then take to stop.
fn times(why: &Leaving, stop_grace: Duration) -> (Duration, Duration) {
    let limit = match why {
        Leaving::Spot { within, .. } => DRAIN_LIMIT.min(within.saturating_sub(MARGIN)),
        Leaving::Told | Leaving::Group { .. } => DRAIN_LIMIT,
    };
    // Told by an operator or a shutdown, nobody waits for a load balancer.
    let settle = if *why == Leaving::Told { Duration::ZERO } else { SETTLE.min(limit / 2) };
    (settle, stop_grace.min(limit.saturating_sub(settle)))
}

/// Stops every container of this instance that runs: a reload that was interrupted may have left two.
pub async fn stop_all(agent: &Agent, known: Option<&str>, grace: Duration) {
    let Some(hook) = agent.hook() else { return };
    let docker = &agent.world.docker;
    let mut ids: Vec<String> = known.map(str::to_owned).into_iter().collect();
    if let Ok(found) = docker.containers(INSTANCE_LABEL, hook.instance().as_str()).await {
        let more = found.into_iter().filter(|c| c.running && !ids.contains(&c.id)).map(|c| c.id);
        ids.extend(more.collect::<Vec<_>>());
    }
    futures_util::future::join_all(ids.iter().map(async |id| {
        if let Err(error) = docker.stop(id, grace).await {
            tracing::warn!("the container {id} was not stopped: {error}");
        }
    }))
    .await;
    // The next start writes them again, from the table.
    secrets::forget(&agent.settings.run_dir);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(why: &Leaving, grace: u64) -> (u64, u64) {
        let (settle, grace) = times(why, Duration::from_secs(grace));
        (settle.as_secs(), grace.as_secs())
    }

    #[test]
    fn fault_43_a_drain_takes_at_most_ninety_seconds_and_ends_within_the_notice() {
        let spot = |within| Leaving::Spot { action: "terminate".into(), within: Duration::from_secs(within) };
        let group = Leaving::Group { target: "Terminated".into() };
        assert_eq!(seconds(&Leaving::Told, 20), (0, 20));
        assert_eq!(seconds(&Leaving::Told, 600), (0, 90));
        assert_eq!(seconds(&group, 20), (5, 20));
        assert_eq!(seconds(&group, 600), (5, 85));
        assert_eq!(seconds(&spot(120), 600), (5, 85));
        assert_eq!(seconds(&spot(60), 600), (5, 45));
        assert_eq!(seconds(&spot(15), 600), (2, 2));
    }
}
