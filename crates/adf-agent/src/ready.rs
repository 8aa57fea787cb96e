//! Stage ready: the receipt says Serving, the Auto Scaling group is told to go on, systemd learns that the
//! service is up.
//!
//! The rule: this stage is entered with a [`Healthy`] only, so CONTINUE follows K health passes.

use std::time::Duration;

use adf_types::{InstanceState, ProbeCounts, Receipt};

use crate::agent::Agent;
use crate::failure::Failure;
use crate::health::Healthy;
use crate::report::Reached;
use crate::start::Started;
use crate::world::{ActionResult, systemd};

/// What the boot waits for the group; supervision must not wait for AWS.
const CONTINUE_WAIT: Duration = Duration::from_secs(10);

/// An app that serves.
#[derive(Debug, Clone)]
pub struct Serving {
    pub started: Started,
}

impl Reached for Serving {
    fn record(&self, receipt: &mut Receipt) {
        receipt.probes = ProbeCounts::default();
    }
}

pub async fn ready(agent: &Agent, healthy: Healthy) -> Result<Serving, Failure> {
    agent.reporter.publish(InstanceState::Serving);
    if let Some(hook) = agent.hook() {
        hook.complete(ActionResult::Continue, CONTINUE_WAIT).await;
    }
    let order = &healthy.started.order;
    systemd::ready(&format!("serving {} {}", order.app, order.release));
    if let Some(publication) = agent.publication() {
        publication.begin(&agent.reporter);
    }
    Ok(Serving { started: healthy.started })
}
