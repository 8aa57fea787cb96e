//! Canary: one fresh instance beside the group, registered once it says that it is healthy.

use adf_types::{CanaryTraffic, Cause, DeployRecord, Receipt, Step, Waiting};
use jiff::Timestamp;

use super::wait::{BOOT_TIMEOUT, Wait, after, last_act};
use super::{Action, Decision, act, turn_back};
use crate::aws::{MachineState, TargetState};
use crate::deploy::fleet::{Canary, Fleet};
use crate::deploy::judge;
use crate::deploy::record::{REFUSED, is_failure};

pub(super) fn plan(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    let Some(canary) = &fleet.canary else { return act(Action::LaunchCanary) };
    if let Some(fact) = judge::gave_up(canary) {
        return turn_back(Cause::Release, format!("canary {fact}"));
    }
    let serving = canary.receipt.as_ref().is_some_and(Receipt::is_serving);
    match (&canary.target, serving) {
        // Only a healthy one gets requests of its own, and only then is there something to count.
        (Some(TargetState::Healthy), true) if has_own_traffic(record) && !record_has_traffic(record) => {
            act(Action::StartCanaryTraffic)
        }
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

fn has_own_traffic(record: &DeployRecord) -> bool {
    record.policy.judging.canary_target_group.is_some()
}

fn record_has_traffic(record: &DeployRecord) -> bool {
    matches!(record.progress.canary_traffic, Some(CanaryTraffic::Since(_)))
}

/// Whether requests may still be sent to the canary's own target group: they are, or the call that was to begin it has
/// no result on record.
fn may_have_traffic(record: &DeployRecord) -> bool {
    let begun = Action::StartCanaryTraffic.intent();
    record_has_traffic(record)
        || record.progress.canary_traffic.is_none() && record.log.iter().any(|entry| entry.intent == begun)
}

/// The next step of taking the canary out of the load balancer, if it is in it. First nothing more is sent to its
/// target group: what is sent to an empty one fails.
pub(super) fn leave_traffic(fleet: &Fleet, record: &DeployRecord) -> Option<Decision> {
    let canary = fleet.canary.as_ref()?;
    if may_have_traffic(record) {
        return Some(act(Action::EndCanaryTraffic));
    }
    let registered = !matches!(canary.target, None | Some(TargetState::Draining));
    registered.then(|| act(Action::DeregisterCanary(canary.id.clone())))
}

/// The next step of removing the canary; `None` when it is gone.
pub(super) fn leave(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Option<Decision> {
    let canary = fleet.canary.as_ref()?;
    if let Some(decision) = leave_traffic(fleet, record) {
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

/// EC2 may show a launch a while after it took the call, see "Eventual consistency" in its API reference.
const LAUNCH_SHOWS: std::time::Duration = std::time::Duration::from_mins(1);
const LAUNCH_LIMIT: &str = "a minute for EC2 to show a launch";

/// A driver that died at the launch, or never got its answer, may have left a canary that no record names: nothing
/// is over until EC2 was asked. A launch that AWS refused left none.
pub(super) fn find(record: &DeployRecord, now: Timestamp) -> Option<Decision> {
    let of = |action: Action| {
        let intent = action.intent();
        record.log.iter().rev().find(move |entry| entry.intent == intent)
    };
    let launch = of(Action::LaunchCanary).filter(|_| record.progress.canary.is_none())?;
    let result = |entry: &adf_types::LogEntry| entry.result.clone().unwrap_or_default();
    let refused = result(launch).starts_with(REFUSED);
    let looked = of(Action::FindCanary).is_some_and(|entry| !result(entry).is_empty() && !is_failure(entry));
    if refused || looked {
        return None;
    }
    let until = after(last_act(record), LAUNCH_SHOWS);
    if now >= until {
        return Some(act(Action::FindCanary));
    }
    let what = "EC2 to show a canary that may have been launched".to_owned();
    Some(Decision::Wait(Wait { what, kind: Waiting::Aws, until, limit: LAUNCH_LIMIT }))
}

/// EC2 shows a terminated instance for an hour, and a fresh one not always at once. An id that it does not know
/// at several attempts to terminate it is one that it has forgotten.
fn forgotten(canary: &Canary, record: &DeployRecord) -> bool {
    const ATTEMPTS: usize = 3;
    let intent = Action::TerminateCanary(canary.id.clone()).intent();
    canary.machine.is_none() && record.log.iter().filter(|entry| entry.intent == intent).count() >= ATTEMPTS
}
