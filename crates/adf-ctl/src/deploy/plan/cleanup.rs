//! Cleanup: the new release becomes the current one, then the old instances and, last, the canary go.
//! What else only the old release used is removed when the deploy is closed, see `act::finish`.

use adf_types::{DeployRecord, InstanceId, Outcome, Waiting};
use jiff::Timestamp;

use super::wait::{BOOT_TIMEOUT, Wait, after, last_act};
use super::{Action, BATCH, Decision, act, canary, healthy_new, replace, room};
use crate::aws::Lifecycle;
use crate::deploy::fleet::Fleet;

pub(super) fn plan(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    if fleet.current.as_ref().is_none_or(|c| c.current != record.to) {
        return act(Action::SetCurrent);
    }
    // The canary drains while the old instances go.
    if let Some(leave) = canary::leave_traffic(fleet, record) {
        return leave;
    }
    if let Some(action) = old_away(fleet, record) {
        return act(action);
    }
    if let Some(wait) = await_old(fleet, record, now) {
        return wait;
    }
    if fleet.desired < record.progress.capacity {
        // What AWS does to desired capacity when an instance in Standby is terminated is not documented.
        return act(Action::SetDesired { instances: record.progress.capacity });
    }
    if let Some(leave) = canary::leave(fleet, record, now) {
        return leave;
    }
    room::give_back(fleet, record).unwrap_or_else(|| whole(fleet, record, now))
}

fn old_away(fleet: &Fleet, record: &DeployRecord) -> Option<Action> {
    let old = |state| {
        let old = fleet.old_ones(record.progress.template_version).filter(move |m| m.is(state));
        old.take(BATCH).map(|m| m.id.clone()).collect::<Vec<InstanceId>>()
    };
    let (serving, standby) = (old(Lifecycle::InService), old(Lifecycle::Standby));
    if !serving.is_empty() {
        return Some(Action::EnterStandby(serving));
    }
    (!standby.is_empty()).then_some(Action::Terminate { ids: standby, decrement: false })
}

/// Until those that were found in service only now can be terminated.
fn await_old(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Option<Decision> {
    let old = fleet.old_ones(record.progress.template_version);
    match replace::settle(old.filter(|m| m.is(Lifecycle::EnteringStandby)), fleet, record, now)? {
        // The new release is the current one: there is no turning back.
        Decision::Act(Action::TurnBack { reason, .. }) => {
            let serving = format!("{} serves; what did not leave is not terminated", record.to);
            Some(Decision::Finish(Outcome::Failed { reason, serving }))
        }
        wait => Some(wait),
    }
}

/// "Deployed" is said only when every in-service instance has a matching receipt.
fn whole(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    let capacity = record.progress.capacity;
    let healthy = healthy_new(fleet, record);
    let strangers = fleet.members.iter().filter(|m| m.is(Lifecycle::InService)).count();
    if healthy >= capacity && strangers == healthy as usize {
        return Decision::Finish(Outcome::Succeeded);
    }
    let until = after(last_act(record), record.policy.boot_timeout);
    if now >= until {
        let reason = format!(
            "{healthy} of {capacity} instances are healthy and have a receipt of {} within {BOOT_TIMEOUT}",
            record.to
        );
        let serving = format!("{} serves on {healthy} instances; the old ones are terminated", record.to);
        return Decision::Finish(Outcome::Failed { reason, serving });
    }
    let what = format!("{capacity} instances to be healthy: {healthy} are");
    Decision::Wait(Wait { what, kind: Waiting::Instances, until, limit: BOOT_TIMEOUT })
}
