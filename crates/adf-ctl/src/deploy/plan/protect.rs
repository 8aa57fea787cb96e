//! Protection from scale-in while two fleets run: a policy that sees half the load on twice the instances would
//! take away what serves, or what is to serve. Instances that somebody else protects stay protected.
//!
//! It does not hold back health replacements and terminations by hand, see "Instance scale-in protection".

use adf_types::{DeployRecord, InstanceId, Waiting};
use jiff::Timestamp;

use super::wait::{BOOT_TIMEOUT, Wait, after, last_act};
use super::{Action, Decision, act};
use crate::aws::Lifecycle;
use crate::deploy::fleet::{Fleet, Member, count};

/// `SetInstanceProtection` takes at most 50 instances a call.
const BATCH: usize = 50;

/// Protects what is in service and not yet protected.
pub(super) fn begin(fleet: &Fleet, record: &DeployRecord) -> Option<Decision> {
    let known = &record.progress.protected;
    let bare = in_service(fleet).filter(|m| !m.protected && !known.contains(&m.id));
    batch(bare).map(|ids| act(Action::Protect(ids)))
}

/// Takes back the protection that the deploy gave.
pub(super) fn end(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Option<Decision> {
    let given = &record.progress.protected;
    let ours = in_service(fleet).filter(|m| m.protected && given.contains(&m.id));
    let ids = batch(ours)?;
    Some(await_surplus(fleet, record, now).unwrap_or_else(|| act(Action::Unprotect(ids))))
}

/// What is beyond desired capacity, after zones were evened out or a refresh ended, goes as soon as it is not protected,
/// and Auto Scaling does not look which of the others serve already.
fn await_surplus(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Option<Decision> {
    let stays = |m: &&Member| m.is(Lifecycle::InService) || m.is(Lifecycle::Pending);
    let healthy = count(fleet.members.iter().filter(stays).filter(|m| fleet.is_healthy(m)));
    let all = count(fleet.members.iter().filter(stays));
    let until = after(last_act(record), record.policy.boot_timeout);
    if all <= fleet.desired || healthy == all || now >= until {
        return None;
    }
    let what = format!("all {all} instances to be healthy, of which the group will keep {}", fleet.desired);
    Some(Decision::Wait(Wait { what, kind: Waiting::Instances, until, limit: BOOT_TIMEOUT }))
}

fn in_service(fleet: &Fleet) -> impl Iterator<Item = &Member> {
    fleet.members.iter().filter(|m| m.is(Lifecycle::InService))
}

fn batch<'a>(members: impl Iterator<Item = &'a Member>) -> Option<Vec<InstanceId>> {
    let ids: Vec<InstanceId> = members.take(BATCH).map(|m| m.id.clone()).collect();
    (!ids.is_empty()).then_some(ids)
}
