//! Canary: one fresh instance beside the group, registered once it says that it is healthy.

use adf_types::{Cause, DeployRecord, Receipt, Step, Waiting};
use jiff::Timestamp;

use super::wait::{BOOT_TIMEOUT, Wait, after, last_act};
use super::{Action, Decision, act, turn_back};
use crate::aws::{MachineState, TargetState};
use crate::deploy::fleet::{Canary, Fleet};
use crate::deploy::judge;

pub(super) fn plan(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    let Some(canary) = &fleet.canary else { return act(Action::LaunchCanary) };
    if let Some(fact) = judge::gave_up(canary) {
        return turn_back(Cause::Release, format!("canary {fact}"));
    }
    let serving = canary.receipt.as_ref().is_some_and(Receipt::is_serving);
    match (&canary.target, serving) {
        (Some(TargetState::Healthy), true) => act(Action::Enter(Step::Judge)),
        (_, true) if !fleet.balanced => act(Action::Enter(Step::Judge)),
        // Only now: no request of a user may meet an instance that has not yet said it is healthy.
        (None, true) => act(Action::RegisterCanary(canary.id.clone())),
        _ => boot(canary, record, now),
    }
}

fn boot(canary: &Canary, record: &DeployRecord, now: Timestamp) -> Decision {
    let until = after(last_act(record), record.policy.boot_timeout);
    let stands = judge::stands(canary.receipt.as_ref(), canary.target.as_ref());
    if now >= until {
        let cause = if canary.receipt.is_none() { Cause::Silence } else { Cause::Release };
        return turn_back(
            cause,
            format!(
                "canary {} is not healthy within {BOOT_TIMEOUT} ({:?}): {stands}",
                canary.id, record.policy.boot_timeout
            ),
        );
    }
    let what = format!("canary {} to be healthy: {stands}", canary.id);
    Decision::Wait(Wait { what, kind: Waiting::Instances, until, limit: BOOT_TIMEOUT })
}

/// Draining ends with the deregistration delay; this much later it counts as stuck.
const DRAIN_SLACK: std::time::Duration = std::time::Duration::from_mins(1);
const DRAIN_LIMIT: &str = "the target group's deregistration delay and a minute";

/// The next step of taking the canary out of the load balancer, if it is in it.
pub(super) fn leave_traffic(fleet: &Fleet) -> Option<Decision> {
    let canary = fleet.canary.as_ref()?;
    let registered = !matches!(canary.target, None | Some(TargetState::Draining));
    registered.then(|| act(Action::DeregisterCanary(canary.id.clone())))
}

/// The next step of removing the canary; `None` when it is gone.
pub(super) fn leave(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Option<Decision> {
    let canary = fleet.canary.as_ref()?;
    if let Some(decision) = leave_traffic(fleet) {
        return Some(decision);
    }
    if canary.machine == Some(MachineState::Gone) || forgotten(canary, record) {
        return None;
    }
    let until = after(last_act(record), fleet.drain + DRAIN_SLACK);
    if canary.target.is_some() && now < until {
        let what = format!("canary {} to finish its requests", canary.id);
        let wait = Wait { what, kind: Waiting::Configured, until, limit: DRAIN_LIMIT };
        return Some(Decision::Wait(wait));
    }
    Some(act(Action::TerminateCanary(canary.id.clone())))
}

/// EC2 shows a terminated instance for an hour, and a fresh one not always at once. An id that it does not know
/// at several attempts to terminate it is one that it has forgotten.
fn forgotten(canary: &Canary, record: &DeployRecord) -> bool {
    const ATTEMPTS: usize = 3;
    let intent = Action::TerminateCanary(canary.id.clone()).intent();
    canary.machine.is_none() && record.log.iter().filter(|entry| entry.intent == intent).count() >= ATTEMPTS
}
