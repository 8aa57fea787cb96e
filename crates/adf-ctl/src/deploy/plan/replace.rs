//! Replace by surge: new instances beside the old ones; when they are healthy by their receipts and by the load
//! balancer, the old ones leave.
//!
//! With a surge of the whole fleet everything happens at once and the old ones stand by. With less, as many as
//! fit start, and as many old ones are terminated, until none is left.

use adf_types::{Cause, DeployRecord, InstanceId, Strategy, Surge, Waiting};
use jiff::Timestamp;

use super::wait::{BOOT_TIMEOUT, Wait, after, last_act};
use super::{Action, BATCH, Decision, act, healthy_new, protect, refresh, room, turn_back};
use crate::aws::Lifecycle;
use crate::deploy::fleet::{Fleet, LaunchTrouble, Member, count, failure};
use crate::deploy::judge::stands;

/// How long AWS may take beyond the deregistration delay to put an instance to Standby.
pub(super) const STANDBY_SLACK: std::time::Duration = std::time::Duration::from_mins(5);
pub(super) const STANDBY_LIMIT: &str = "the target group's deregistration delay and 5 minutes";

pub(super) fn plan(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    if let Some(failed) = failed_launch(fleet, record) {
        return turn_back(Cause::Release, failed);
    }
    if record.policy.strategy == Strategy::Refresh {
        return refresh::plan(fleet, record, now);
    }
    let state = State::of(fleet, record);
    state
        .follow_scaling()
        .or_else(|| state.start_new())
        .or_else(|| state.await_new(now))
        .or_else(|| state.retire_old())
        .or_else(|| state.settle(now))
        .or_else(|| state.settle_size())
        .or_else(|| protect::end(fleet, record, now))
        .or_else(|| room::give_back(fleet, record))
        .unwrap_or_else(|| act(Action::MarkReplaced))
}

struct State<'a> {
    fleet: &'a Fleet,
    record: &'a DeployRecord,
    /// New instances that are to be healthy before an old one leaves.
    wanted: u32,
    healthy: u32,
    /// Old ones in service.
    serving: Vec<&'a Member>,
    /// Old ones in service or on their way in, which desired capacity counts.
    old: u32,
}

impl<'a> State<'a> {
    fn of(fleet: &'a Fleet, record: &'a DeployRecord) -> Self {
        let version = record.progress.template_version;
        let capacity = record.progress.capacity;
        let serving: Vec<&Member> = fleet.old_ones(version).filter(|m| m.is(Lifecycle::InService)).collect();
        let old = count(serving.iter()) + count(fleet.old_ones(version).filter(|m| m.is(Lifecycle::Pending)));
        let wanted = if stands_by(record) {
            capacity
        } else {
            capacity.min((capacity + record.policy.surge.of(capacity)).saturating_sub(old))
        };
        Self { fleet, record, wanted, healthy: healthy_new(fleet, record), serving, old }
    }

    /// Somebody scaled the group out, on top of what the deploy asked for. Only told apart from it until the first
    /// old instance leaves, which lowers desired capacity too.
    fn follow_scaling(&self) -> Option<Decision> {
        let set = self.record.progress.desired?;
        let leaving = self.fleet.old_ones(self.record.progress.template_version).any(Member::is_resting);
        if leaving || !stands_by(self.record) || self.fleet.desired <= set {
            return None;
        }
        let instances = self.record.progress.capacity + (self.fleet.desired - set);
        Some(act(Action::Resize { instances, desired: self.fleet.desired }))
    }

    /// An old instance that died meanwhile was replaced by a new one, which is one too many now; and a scale-in that
    /// came while the old ones left took more than they were.
    fn settle_size(&self) -> Option<Decision> {
        let (capacity, fleet) = (self.record.progress.capacity, self.fleet);
        if fleet.desired < capacity {
            return Some(act(Action::SetDesired { instances: capacity }));
        }
        let surplus = fleet.desired - capacity;
        if surplus == 0 {
            return None;
        }
        let mut new: Vec<&Member> = fleet.new_ones(self.record.progress.template_version).collect();
        let beyond = new.len().saturating_sub(capacity as usize).min(surplus as usize).min(BATCH);
        if beyond == 0 {
            return Some(act(Action::SetDesired { instances: capacity }));
        }
        // What is not healthy yet goes first.
        new.sort_by_key(|m| fleet.is_healthy(m));
        let ids = new.iter().take(beyond).map(|m| m.id.clone()).collect();
        Some(act(Action::Terminate { ids, decrement: true }))
    }

    /// Nothing that serves may be scaled in while the others boot, so protection comes first.
    fn start_new(&self) -> Option<Decision> {
        if self.healthy >= self.wanted {
            return None;
        }
        let needed = self.wanted + self.old;
        protect::begin(self.fleet, self.record)
            .or_else(|| room::make(self.fleet, self.record, needed))
            .or_else(|| (self.fleet.desired < needed).then(|| act(Action::SetDesired { instances: needed })))
    }

    fn await_new(&self, now: Timestamp) -> Option<Decision> {
        if self.healthy >= self.wanted {
            return None;
        }
        if let Some(LaunchTrouble { reason, lasting: true }) = &self.fleet.launch_trouble {
            return Some(turn_back(Cause::Launch, format!("the group cannot launch instances: {reason}")));
        }
        let (healthy, wanted) = (self.healthy, self.wanted);
        let until = after(last_act(self.record), self.record.policy.boot_timeout);
        if now >= until {
            return Some(self.too_late());
        }
        let trouble =
            self.fleet.launch_trouble.as_ref().map(|t| format!("; {}", t.reason)).unwrap_or_default();
        let what = format!("{wanted} new instances to be healthy: {healthy} are{trouble}");
        Some(Decision::Wait(Wait { what, kind: Waiting::Instances, until, limit: BOOT_TIMEOUT }))
    }

    fn too_late(&self) -> Decision {
        let late: Vec<&Member> = self
            .fleet
            .new_ones(self.record.progress.template_version)
            .filter(|m| !self.fleet.is_healthy(m))
            .collect();
        let cause = match late.as_slice() {
            [] => Cause::Launch,
            late if late.iter().any(|m| m.receipt.is_none()) => Cause::Silence,
            _ => Cause::Release,
        };
        let stand = |m: &&Member| format!("{}: {}", m.id, stands(m.receipt.as_ref(), m.target.as_ref()));
        let mut late = late.iter().map(stand).collect::<Vec<_>>().join("; ");
        if late.is_empty() {
            let trouble = self.fleet.launch_trouble.as_ref();
            late = trouble.map_or_else(|| "the group launched none".to_owned(), |t| t.reason.clone());
        }
        turn_back(
            cause,
            format!(
                "{} of {} new instances are healthy within {BOOT_TIMEOUT} ({:?}): {late}",
                self.healthy, self.wanted, self.record.policy.boot_timeout
            ),
        )
    }

    /// As many old ones leave as new ones make up for; those that are not healthy first.
    fn retire_old(&self) -> Option<Decision> {
        if stands_by(self.record) {
            let ids: Vec<InstanceId> = self.serving.iter().take(BATCH).map(|m| m.id.clone()).collect();
            return (!ids.is_empty()).then(|| act(Action::EnterStandby(ids)));
        }
        let capacity = self.record.progress.capacity;
        let beyond = |those: u32| (self.healthy + those).saturating_sub(capacity) as usize;
        let (well, ill): (Vec<&Member>, Vec<&Member>) =
            self.serving.iter().partition(|m| self.fleet.is_healthy(m));
        let (well_too_many, too_many) = (beyond(count(well.iter())), beyond(count(self.serving.iter())));
        let leaving = ill.into_iter().chain(well.into_iter().take(well_too_many));
        let ids: Vec<InstanceId> = leaving.take(too_many.min(BATCH)).map(|m| m.id.clone()).collect();
        (!ids.is_empty()).then_some(act(Action::Terminate { ids, decrement: true }))
    }

    /// Until no old one is sent a request any more. That those in Standby finish theirs is waited for in the watch.
    fn settle(&self, now: Timestamp) -> Option<Decision> {
        let old = self.fleet.old_ones(self.record.progress.template_version);
        settle(old.filter(|m| !m.is_out_of_traffic()), self.fleet, self.record, now)
    }
}

/// Waits for old instances that are on their way to Standby; turns back when AWS keeps them.
pub(super) fn settle<'a>(
    leaving: impl Iterator<Item = &'a Member>,
    fleet: &Fleet,
    record: &DeployRecord,
    now: Timestamp,
) -> Option<Decision> {
    let left = count(leaving);
    if left == 0 {
        return None;
    }
    let until = after(last_act(record), fleet.drain + STANDBY_SLACK);
    if now >= until {
        let reason = format!("{left} old instances did not leave within {STANDBY_LIMIT}");
        return Some(turn_back(Cause::Aws, reason));
    }
    let what = format!("{left} old instances to leave the load balancer");
    Some(Decision::Wait(Wait { what, kind: Waiting::Aws, until, limit: STANDBY_LIMIT }))
}

/// Whether the old fleet stands by until the watch ends.
pub(super) fn stands_by(record: &DeployRecord) -> bool {
    record.policy.strategy == Strategy::Surge && record.policy.surge == Surge::ALL
}

/// An instance of this deploy that gave up: its hook makes the group try again for ever, so stop here.
fn failed_launch(fleet: &Fleet, record: &DeployRecord) -> Option<String> {
    let members = fleet.new_ones(record.progress.template_version).filter_map(Member::failure);
    let canary = record.progress.canary.as_ref();
    let gone = fleet.gone.iter().filter(|r| r.deploy.as_ref() == Some(&record.id));
    members.chain(gone.filter(|r| Some(&r.instance) != canary).filter_map(failure)).next()
}
