//! Restart: instances are rebooted in place, some at a time, so that each reads its config anew.
//!
//! Standby keeps the group from replacing a machine that reboots, see "Temporarily remove instances". What a reboot is
//! recognised by is the boot id in the receipt. The rule: the next ones leave service only after the last ones serve,
//! and one that does not come back ends the restart.

use adf_types::{
    Boots, Cause, DeployRecord, Direction, InstanceId, LoweredMin, Outcome, Receipt, Restart, Waiting,
};
use jiff::Timestamp;

use super::replace::{STANDBY_LIMIT, STANDBY_SLACK};
use super::wait::{BOOT_TIMEOUT, Wait, after, last_act};
use super::{Action, BATCH, Decision, act, turn_back};
use crate::aws::{Lifecycle, TargetState};
use crate::deploy::fleet::{Fleet, Member, count};
use crate::deploy::judge::stands;
use crate::deploy::record;

pub(super) fn plan(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    let Some(restart) = &record.progress.restart else {
        return turn_back(Cause::Aws, "the restart is not on record any more");
    };
    let round = Round { fleet, record, restart, now };
    round
        .settle()
        .or_else(|| round.too_slow())
        .or_else(|| round.reboot())
        .or_else(|| round.failed().map(|reason| turn_back(Cause::Release, reason)))
        .or_else(|| round.give_back(|_| false))
        .or_else(|| round.await_boot())
        .or_else(|| round.await_service())
        .or_else(|| round.next())
        .or_else(|| round.restore_min())
        .unwrap_or(Decision::Finish(Outcome::Succeeded))
}

/// No other instance leaves service. What came back serves again; what did not is replaced by the group.
pub(super) fn back(fleet: &Fleet, record: &DeployRecord, reason: &str, now: Timestamp) -> Decision {
    let Some(restart) = &record.progress.restart else {
        return Decision::Finish(Outcome::RolledBack { reason: reason.to_owned() });
    };
    let round = Round { fleet, record, restart, now };
    round
        .settle()
        .or_else(|| round.give_back(|m| !round.is_told(m) || round.is_untouched(m)))
        .or_else(|| round.await_hopeful())
        .or_else(|| round.replace_lost())
        .or_else(|| round.await_return())
        .or_else(|| round.restore_min())
        .unwrap_or_else(|| Decision::Finish(round.outcome(reason)))
}

struct Round<'a> {
    fleet: &'a Fleet,
    record: &'a DeployRecord,
    restart: &'a Restart,
    now: Timestamp,
}

impl<'a> Round<'a> {
    /// The instances that were in service at the start and are still there.
    fn ours(&self) -> impl Iterator<Item = &'a Member> {
        let old = &self.record.progress.old;
        self.fleet.members.iter().filter(|m| old.contains(&m.id) && !m.is(Lifecycle::Leaving))
    }

    fn resting(&self) -> impl Iterator<Item = &'a Member> {
        self.ours().filter(|m| m.is(Lifecycle::Standby))
    }

    fn is_told(&self, member: &Member) -> bool {
        self.restart.told.contains_key(&member.id)
    }

    /// The receipt of the boot after it was told.
    fn anew(&self, member: &'a Member) -> Option<&'a Receipt> {
        let before = self.restart.told.get(&member.id)?;
        member.receipt.as_ref().filter(|receipt| receipt.boot_id != *before)
    }

    fn is_back(&self, member: &'a Member) -> bool {
        !member.silent && self.anew(member).is_some_and(Receipt::is_serving)
    }

    /// Those that are on their way to Standby finish their requests.
    fn leaving(&self) -> u32 {
        count(self.ours().filter(|m| m.is(Lifecycle::EnteringStandby)))
    }

    fn settle(&self) -> Option<Decision> {
        let until = after(last_act(self.record), self.fleet.drain + STANDBY_SLACK);
        let what = format!("{} instances to leave the load balancer", self.leaving());
        let wait = Wait { what, kind: Waiting::Aws, until, limit: STANDBY_LIMIT };
        (self.leaving() > 0 && self.now < until).then_some(Decision::Wait(wait))
    }

    fn too_slow(&self) -> Option<Decision> {
        let reason = format!("{} instances did not leave within {STANDBY_LIMIT}", self.leaving());
        (self.leaving() > 0).then(|| turn_back(Cause::Aws, reason))
    }

    /// Those that stand by and were not told, and those of whom nobody knows whether the call arrived.
    fn reboot(&self) -> Option<Decision> {
        let unsure = self.is_unsure();
        let due = self.resting().filter(|m| !self.is_told(m) || (unsure && self.anew(m).is_none()));
        let boot = |m: &Member| m.receipt.as_ref().and_then(|receipt| receipt.boot_id);
        let boots: Boots = due.map(|m| (m.id.clone(), boot(m))).collect();
        (!boots.is_empty()).then(|| act(Action::Reboot(boots)))
    }

    fn is_unsure(&self) -> bool {
        let last = self.record.log.iter().rev().find(|entry| entry.intent.starts_with(Action::REBOOT));
        last.is_some_and(|entry| entry.result.is_none() || record::is_failure(entry))
    }

    /// The first that gave up after its reboot.
    fn failed(&self) -> Option<String> {
        let failure = |m: &'a Member| self.anew(m).and_then(crate::deploy::fleet::failure);
        self.ours().find_map(failure).map(|reason| format!("after its reboot, {reason}"))
    }

    /// What came back returns to service, and what else may.
    fn give_back(&self, or: impl Fn(&'a Member) -> bool) -> Option<Decision> {
        let ids = self.resting().filter(|m| self.is_back(m) || or(m)).take(BATCH);
        let ids: Vec<InstanceId> = ids.map(|m| m.id.clone()).collect();
        (!ids.is_empty()).then(|| act(Action::ExitStandby(ids)))
    }

    /// It serves in the boot of before, and will not be rebooted any more: AWS refused to, or nothing came of it.
    fn is_untouched(&self, member: &'a Member) -> bool {
        let last = self.record.log.iter().rev().find(|entry| entry.intent.starts_with(Action::REBOOT));
        let result = last.and_then(|entry| entry.result.as_deref()).unwrap_or_default();
        let over = result.starts_with(record::REFUSED) || self.now >= self.limit();
        let serves = member.receipt.as_ref().is_some_and(Receipt::is_serving) && !member.silent;
        over && serves && self.anew(member).is_none()
    }

    fn limit(&self) -> Timestamp {
        after(last_act(self.record), self.record.policy.boot_timeout)
    }

    fn wait(&self, what: String) -> Decision {
        Decision::Wait(Wait { what, kind: Waiting::Instances, until: self.limit(), limit: BOOT_TIMEOUT })
    }

    fn await_boot(&self) -> Option<Decision> {
        let late: Vec<&Member> = self.resting().collect();
        let first = late.first()?;
        if self.now >= self.limit() {
            let reason = match self.anew(first) {
                Some(_) => stands(first.receipt.as_ref(), first.target.as_ref()),
                None => "no receipt of a new boot".to_owned(),
            };
            let ids = late.iter().map(|m| m.id.as_str()).collect::<Vec<_>>().join(", ");
            let reason = format!("{ids} did not come back from a reboot within {BOOT_TIMEOUT}: {reason}");
            return Some(turn_back(Cause::Silence, reason));
        }
        Some(self.wait(format!("{} instances to come back from a reboot", late.len())))
    }

    /// Instances that came back and are not well, or not yet.
    fn returning(&self) -> impl Iterator<Item = &'a Member> {
        self.ours().filter(|m| self.is_told(m) && !self.fleet.is_healthy(m))
    }

    fn await_service(&self) -> Option<Decision> {
        let late = self.returning().next()?;
        if self.now >= self.limit() {
            let stands = stands(late.receipt.as_ref(), late.target.as_ref());
            let reason =
                format!("{} does not serve within {BOOT_TIMEOUT} after its reboot: {stands}", late.id);
            return Some(turn_back(Cause::Release, reason));
        }
        Some(self.wait(self.counted("instances to serve again")))
    }

    fn counted(&self, what: &str) -> String {
        let told = count(self.ours().filter(|m| self.is_told(m)));
        let healthy = told.saturating_sub(count(self.returning()));
        format!("{what}: {healthy} of {} do", count(self.ours()))
    }

    /// The next to leave service: first all that do not serve anyway, then as many as may be missing at once.
    fn next(&self) -> Option<Decision> {
        let left = || self.ours().filter(|m| m.is(Lifecycle::InService) && !self.is_told(m));
        let mut ids: Vec<InstanceId> =
            left().filter(|m| !self.fleet.is_healthy(m)).map(|m| m.id.clone()).collect();
        if ids.is_empty() {
            ids = left().take(self.restart.batch as usize).map(|m| m.id.clone()).collect();
        }
        ids.truncate(BATCH);
        if ids.is_empty() {
            return None;
        }
        let to = self.fleet.desired.saturating_sub(count(ids.iter()));
        if to < self.fleet.min {
            let from = self.restart.lowered_min.map_or(self.fleet.min, |lowered| lowered.from);
            return Some(act(Action::LowerMin(LoweredMin { from, to })));
        }
        Some(act(Action::EnterStandby(ids)))
    }

    fn restore_min(&self) -> Option<Decision> {
        self.restart.lowered_min.map(|min| act(Action::RestoreMin(min)))
    }

    /// On the way back: what may still come back.
    fn await_hopeful(&self) -> Option<Decision> {
        let hopeful = count(self.resting().filter(|m| !self.is_lost(m)));
        (hopeful > 0).then(|| self.wait(format!("{hopeful} instances to come back from a reboot")))
    }

    /// Gave up after its reboot, or nothing is heard of it for too long.
    fn is_lost(&self, member: &'a Member) -> bool {
        let gave_up = self.anew(member).and_then(crate::deploy::fleet::failure).is_some();
        gave_up || self.is_given_up() || self.now >= self.limit()
    }

    /// What turned the restart back was that nothing was heard for the whole limit.
    fn is_given_up(&self) -> bool {
        matches!(self.record.direction, Direction::Back { cause: Cause::Silence, .. })
    }

    /// The group launches others in their place.
    fn replace_lost(&self) -> Option<Decision> {
        let ids: Vec<InstanceId> = self.resting().take(BATCH).map(|m| m.id.clone()).collect();
        if ids.is_empty() {
            return None;
        }
        if self.record.progress.desired.is_none() {
            let wanted = (self.fleet.desired + count(ids.iter())).min(self.fleet.max);
            return Some(act(Action::SetDesired { instances: wanted }));
        }
        Some(act(Action::Terminate { ids, decrement: false }))
    }

    /// What returned to service has its time to get there; nothing depends on it any more.
    fn await_return(&self) -> Option<Decision> {
        let checked =
            |m: &Member| self.fleet.balanced && matches!(m.target, None | Some(TargetState::Initial));
        let on_its_way = self.ours().any(|m| m.is(Lifecycle::Pending) || checked(m));
        (on_its_way && self.now < self.limit()).then(|| self.wait(self.counted("instances to serve again")))
    }

    fn outcome(&self, reason: &str) -> Outcome {
        let reason = reason.to_owned();
        if matches!(self.record.direction, Direction::Back { cause: Cause::Operator, .. }) {
            return Outcome::RolledBack { reason };
        }
        let healthy = count(self.fleet.members.iter().filter(|m| self.fleet.is_healthy(m)));
        let told = self.restart.told.len();
        let all = self.record.progress.old.len();
        let serving = format!(
            "{} serves on {healthy} instances; {told} of {all} were rebooted, the others have the config of before",
            self.record.to
        );
        Outcome::Failed { reason, serving }
    }
}
