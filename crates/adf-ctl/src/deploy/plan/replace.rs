//! Replace: as many new instances as the fleet has old ones, all at once; when every one is healthy by its
//! receipt and by the load balancer, the old ones go to Standby.

use adf_types::{DeployRecord, InstanceId, Waiting};
use jiff::Timestamp;

use super::wait::{BOOT_TIMEOUT, Wait, after, last_act};
use super::{Action, BATCH, Decision, act, healthy_new, turn_back};
use crate::aws::Lifecycle;
use crate::deploy::fleet::{Fleet, Member, count, failure};
use crate::deploy::judge::stands;

/// How long AWS may take beyond the deregistration delay to put an instance to Standby.
const STANDBY_SLACK: std::time::Duration = std::time::Duration::from_mins(5);
const STANDBY_LIMIT: &str = "the target group's deregistration delay and 5 minutes";

pub(super) fn plan(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    if let Some(failed) = failed_launch(fleet, record) {
        return turn_back(failed);
    }
    let version = record.progress.template_version;
    let capacity = record.progress.capacity;
    let healthy = healthy_new(fleet, record);
    let serving_old: Vec<&Member> = fleet.old_ones(version).filter(|m| m.is(Lifecycle::InService)).collect();
    let other_old = count(fleet.old_ones(version).filter(|m| m.is(Lifecycle::Pending)));
    let needed = capacity + count(serving_old.iter()) + other_old;

    if healthy < capacity {
        if fleet.desired < needed.min(fleet.max) {
            return act(Action::SetDesired { instances: needed.min(fleet.max) });
        }
        return boot(fleet, record, healthy, now);
    }
    if !serving_old.is_empty() {
        let ids = serving_old.iter().take(BATCH).map(|m| m.id.clone()).collect::<Vec<InstanceId>>();
        return act(Action::EnterStandby(ids));
    }
    let moving = fleet.old_ones(version).filter(|m| !m.is(Lifecycle::Standby));
    match count(moving) {
        0 => act(Action::MarkReplaced),
        left => settle(fleet, record, left, now),
    }
}

/// An instance of this deploy that gave up: its hook makes the group try again for ever, so stop here.
fn failed_launch(fleet: &Fleet, record: &DeployRecord) -> Option<String> {
    let members = fleet.new_ones(record.progress.template_version).filter_map(Member::failure);
    let canary = record.progress.canary.as_ref();
    let gone = fleet.gone.iter().filter(|r| r.deploy.as_ref() == Some(&record.id));
    members.chain(gone.filter(|r| Some(&r.instance) != canary).filter_map(failure)).next()
}

fn boot(fleet: &Fleet, record: &DeployRecord, healthy: u32, now: Timestamp) -> Decision {
    let until = after(last_act(record), record.policy.boot_timeout);
    let (version, capacity) = (record.progress.template_version, record.progress.capacity);
    if now >= until {
        let late = fleet.new_ones(version).filter(|m| !fleet.is_healthy(m));
        let late = late.map(|m| format!("{}: {}", m.id, stands(m.receipt.as_ref(), m.target.as_ref())));
        let late = late.collect::<Vec<_>>().join("; ");
        let late = if late.is_empty() { "the group launched none".to_owned() } else { late };
        return turn_back(format!(
            "{healthy} of {capacity} new instances are healthy within {BOOT_TIMEOUT} ({:?}): {late}",
            record.policy.boot_timeout
        ));
    }
    let what = format!("{capacity} new instances to be healthy: {healthy} are");
    Decision::Wait(Wait { what, kind: Waiting::Instances, until, limit: BOOT_TIMEOUT })
}

fn settle(fleet: &Fleet, record: &DeployRecord, left: u32, now: Timestamp) -> Decision {
    let until = after(last_act(record), fleet.drain + STANDBY_SLACK);
    if now >= until {
        return turn_back(format!("{left} old instances did not reach Standby within {STANDBY_LIMIT}"));
    }
    let what = format!("{left} old instances to stand by");
    Decision::Wait(Wait { what, kind: Waiting::Aws, until, limit: STANDBY_LIMIT })
}
