//! Why an instance leaves: told to, or announced in its metadata.
//!
//! | announcement | where, below `meta-data/` | what is done |
//! | --- | --- | --- |
//! | Spot interruption | `spot/instance-action` | drain within the notice |
//! | the group terminates it | `autoscaling/target-lifecycle-state` | drain, then complete the terminating hook |
//! | rebalance recommendation | `events/recommendations/rebalance` | said once; the group decides and then terminates |
//!
//! Neighbours: `run` races the boot against [`leaving`], `supervise` drains when it resolves. The rule: metadata that
//! does not answer changes nothing. Sources: "Spot Instance interruption notices" and "Retrieve the target lifecycle
//! state through instance metadata", EC2 and Auto Scaling user guides.

mod spot;

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::agent::Agent;

/// AWS asks to look every five seconds: of a Spot notice's two minutes that leaves enough.
const POLL: Duration = Duration::from_secs(5);

const SPOT: &str = "meta-data/spot/instance-action";
const REBALANCE: &str = "meta-data/events/recommendations/rebalance";
pub const TARGET_STATE: &str = "meta-data/autoscaling/target-lifecycle-state";

/// Why the agent ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaving {
    /// SIGTERM or Ctrl-C.
    Told,
    /// EC2 takes the Spot instance back.
    Spot {
        /// `terminate`, `stop` or `hibernate`.
        action: String,
        /// The time that is left.
        within: Duration,
    },
    /// The Auto Scaling group terminates it.
    Group {
        /// `Terminated` or `Warmed:Terminated`.
        target: String,
    },
}

impl std::fmt::Display for Leaving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Told => f.write_str("told to stop"),
            Self::Spot { action, within } => {
                write!(f, "spot interruption: EC2 will {action} this instance in {} s", within.as_secs())
            }
            Self::Group { target } => {
                write!(f, "the Auto Scaling group takes this instance out of service (target state {target})")
            }
        }
    }
}

/// Resolves when the agent is to end.
pub async fn leaving(agent: &Agent, stop: impl Future<Output = ()>) -> Leaving {
    tokio::select! {
        biased;
        () = stop => Leaving::Told,
        leaving = announced(agent) => leaving,
    }
}

async fn announced(agent: &Agent) -> Leaving {
    let mut ticks = tokio::time::interval(POLL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut recommended = false;
    loop {
        ticks.tick().await;
        // Before the instance is known its metadata is `identify`'s alone.
        if agent.hook().is_none() {
            continue;
        }
        if let Some(leaving) = spot(agent).await {
            return leaving;
        }
        if let Some(leaving) = group(agent).await {
            return leaving;
        }
        if !recommended {
            recommended = rebalance(agent).await;
        }
    }
}

async fn spot(agent: &Agent) -> Option<Leaving> {
    let notice = read(agent, SPOT).await?;
    let parsed = spot::parse(&notice, agent.world.host.now());
    if parsed.is_none() {
        tracing::debug!(notice, "not a Spot notice");
    }
    parsed
}

async fn group(agent: &Agent) -> Option<Leaving> {
    let target = read(agent, TARGET_STATE).await?;
    matches!(target.as_str(), "Terminated" | "Warmed:Terminated").then_some(Leaving::Group { target })
}

/// Only a hint: a group with Capacity Rebalancing launches another instance and then terminates this one, a group
/// without it does nothing; draining now would only lose capacity.
async fn rebalance(agent: &Agent) -> bool {
    let Some(notice) = read(agent, REBALANCE).await else { return false };
    let since = spot::noticed_at(&notice).map(|at| format!(" since {at}")).unwrap_or_default();
    let text = format!("I191 EC2 recommends to replace this Spot instance{since}; it goes on serving");
    tracing::warn!("{text}");
    agent.reporter.notice(text);
    true
}

async fn read(agent: &Agent, path: &str) -> Option<String> {
    match agent.metadata.text(path).await {
        Ok(found) => found.filter(|text| !text.is_empty()),
        Err(error) => {
            tracing::debug!(path, "{error}");
            None
        }
    }
}
