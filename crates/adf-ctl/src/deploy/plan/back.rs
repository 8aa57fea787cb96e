//! Back: the release before serves again, seconds matter, and nothing is cleaned.
//!
//! Order: the group launches the old version again; old instances return from Standby; only when as many old
//! ones as at the start are healthy do the new ones go; the canary goes last. Old instances that died
//! meanwhile are launched anew from the old template version.

use std::time::Duration;

use adf_types::{DeployRecord, InstanceId, Outcome, Strategy, Waiting};
use jiff::Timestamp;

use super::wait::{BOOT_TIMEOUT, Wait, after, last_act};
use super::{Action, BATCH, Decision, act, canary, is_first, protect, refresh, replace, room};
use crate::aws::Lifecycle;
use crate::deploy::fleet::{Fleet, Member, count};

/// How long the group may take to start what desired capacity asks for, before desired capacity is lowered
/// over its head. Until then the old fleet serves, so waiting costs nobody anything.
const UNBORN_SLACK: Duration = Duration::from_mins(2);
const UNBORN_LIMIT: &str = "2 minutes for the group to react";

pub(super) fn plan(fleet: &Fleet, record: &DeployRecord, reason: &str, now: Timestamp) -> Decision {
    let ours = record.progress.template_version;
    if let Some(version) = record.progress.old_template_version
        && ours.is_some()
    {
        let refreshed = record.policy.strategy == Strategy::Refresh && !is_first(record);
        let back = refreshed.then(|| refresh::back(fleet, record, version, now)).flatten();
        if let Some(back) = back {
            return back;
        }
        // The version before a first deploy starts no release: it comes back when nothing is launched any more.
        let launches = is_first(record) && fleet.desired > fleet.min;
        if fleet.template_version == ours && !launches {
            return act(Action::SetGroupTemplate { version });
        }
    }
    let goal = if is_first(record) { 0 } else { record.progress.capacity };
    let way = Way { fleet, record, goal };
    way.return_old()
        .or_else(|| way.await_old(reason, now))
        .or_else(|| way.remove_new(now))
        .or_else(|| way.remove_surplus(now))
        .or_else(|| way.keep_size())
        .or_else(|| canary::find(record, now))
        .or_else(|| canary::leave(fleet, record, now))
        .or_else(|| protect::end(fleet, record, now))
        .or_else(|| room::give_back(fleet, record))
        .unwrap_or_else(|| Decision::Finish(way.outcome(reason)))
}

struct Way<'a> {
    fleet: &'a Fleet,
    record: &'a DeployRecord,
    /// Instances that the group was to have at the start.
    goal: u32,
}

impl Way<'_> {
    fn old(&self) -> impl Iterator<Item = &Member> {
        self.fleet.old_ones(self.record.progress.template_version)
    }

    fn fresh(&self) -> impl Iterator<Item = &Member> {
        self.fleet.new_ones(self.record.progress.template_version)
    }

    /// Old members that desired capacity counts.
    fn old_live(&self) -> Vec<&Member> {
        self.old().filter(|m| m.is(Lifecycle::InService) || m.is(Lifecycle::Pending)).collect()
    }

    fn healthy_old(&self) -> u32 {
        count(self.old().filter(|m| self.fleet.is_healthy(m)))
    }

    /// Out of Standby, or launched anew where they died.
    fn return_old(&self) -> Option<Decision> {
        let standby: Vec<InstanceId> =
            self.old().filter(|m| m.is(Lifecycle::Standby)).map(|m| m.id.clone()).collect();
        if !standby.is_empty() {
            let returned = self.fleet.desired.saturating_add(count(standby.iter()));
            let ids = standby.into_iter().take(BATCH).collect();
            return room::make(self.fleet, self.record, returned).or(Some(act(Action::ExitStandby(ids))));
        }
        if self.lacking() == 0 {
            return None;
        }
        let resting = count(self.old().filter(|m| m.is_resting()));
        let counted_new =
            count(self.fresh().filter(|m| m.is(Lifecycle::InService) || m.is(Lifecycle::Pending)));
        let wanted = (self.goal.saturating_sub(resting) + counted_new).min(self.ceiling());
        if self.fleet.desired >= wanted {
            return None;
        }
        room::make(self.fleet, self.record, wanted)
            .or_else(|| Some(act(Action::SetDesired { instances: wanted })))
    }

    /// Old instances that are neither there nor on their way.
    fn lacking(&self) -> u32 {
        let resting = count(self.old().filter(|m| m.is_resting()));
        self.goal.saturating_sub(count(self.old_live().iter()) + resting)
    }

    /// The most instances that there may be at once.
    fn ceiling(&self) -> u32 {
        let surge =
            if replace::stands_by(self.record) { self.goal } else { self.record.policy.surge.of(self.goal) };
        self.goal + surge
    }

    /// Until as many old ones as at the start are healthy, nothing that serves is taken away.
    fn await_old(&self, reason: &str, now: Timestamp) -> Option<Decision> {
        let healthy = self.healthy_old();
        let untouched = self.fresh().next().is_none() && !self.old().any(Member::is_resting);
        if healthy >= self.goal || untouched {
            return None;
        }
        if let Some(make_room) = self.make_room() {
            return Some(make_room);
        }
        let until = after(last_act(self.record), self.record.policy.boot_timeout);
        if now >= until {
            let reason = format!(
                "{reason}; the way back is stuck: {healthy} of {} old instances are healthy within {BOOT_TIMEOUT}",
                self.goal
            );
            let new = count(self.fresh().filter(|m| self.fleet.is_healthy(m)));
            let serving = format!("{healthy} old and {new} new instances serve; nothing was removed");
            return Some(Decision::Finish(Outcome::Failed { reason, serving }));
        }
        let what = format!("{} old instances to serve again: {healthy} do", self.goal);
        Some(Decision::Wait(Wait { what, kind: Waiting::Instances, until, limit: BOOT_TIMEOUT }))
    }

    /// Where no more than a part of the fleet may be there twice, new ones beyond the goal make room.
    fn make_room(&self) -> Option<Decision> {
        if self.lacking() == 0 || self.fleet.desired < self.ceiling() {
            return None;
        }
        let healthy = count(self.fleet.members.iter().filter(|m| self.fleet.is_healthy(m)));
        let (mut well, mut ill): (Vec<&Member>, Vec<&Member>) = (Vec::new(), Vec::new());
        for member in self.fresh() {
            if self.fleet.is_healthy(member) { well.push(member) } else { ill.push(member) }
        }
        well.truncate(healthy.saturating_sub(self.goal) as usize);
        let ids = ill.into_iter().chain(well).take(BATCH).map(|m| m.id.clone()).collect();
        self.terminate(ids)
    }

    fn remove_new(&self, now: Timestamp) -> Option<Decision> {
        if self.goal == 0 && self.fleet.desired > self.fleet.min {
            // A first deploy: no old instance could be hit.
            return Some(act(Action::SetDesired { instances: self.fleet.min }));
        }
        if self.goal == 0 {
            return self.await_empty(now);
        }
        self.terminate(self.fresh().take(BATCH).map(|m| m.id.clone()).collect())
    }

    /// A first deploy that failed leaves nothing behind, if the group lets go of it in time.
    fn await_empty(&self, now: Timestamp) -> Option<Decision> {
        let left = count(self.fresh());
        let until = after(last_act(self.record), UNBORN_SLACK);
        if left <= self.fleet.min || now >= until {
            return None;
        }
        let what = format!("{left} instances to be terminated");
        Some(Decision::Wait(Wait { what, kind: Waiting::Aws, until, limit: UNBORN_LIMIT }))
    }

    /// The group may have started old-release instances on the way back, beyond what served at the start.
    fn remove_surplus(&self, now: Timestamp) -> Option<Decision> {
        if self.goal == 0 {
            return None;
        }
        let mut live = self.old_live();
        // What runs beyond desired capacity is AWS's own (somebody's refresh, zones that are evened out): it would be
        // launched again as often as it is terminated.
        let beyond = self.fleet.desired.saturating_sub(self.goal.max(self.fleet.min)) as usize;
        let surplus = live.len().saturating_sub(self.goal as usize).min(beyond);
        live.sort_by_key(|m| (self.fleet.is_healthy(m), self.record.progress.old.contains(&m.id)));
        if let Some(away) =
            self.terminate(live.iter().take(surplus.min(BATCH)).map(|m| m.id.clone()).collect())
        {
            return Some(away);
        }
        if self.fleet.desired <= self.goal.max(self.fleet.min) {
            return None;
        }
        let until = after(last_act(self.record), UNBORN_SLACK);
        if now >= until {
            return Some(act(Action::SetDesired { instances: self.goal.max(self.fleet.min) }));
        }
        let what = format!("{} instances that the group is still to start", self.fleet.unborn());
        Some(Decision::Wait(Wait { what, kind: Waiting::Aws, until, limit: UNBORN_LIMIT }))
    }

    /// A group that was scaled in while its instances were protected would lose one as soon as they are not.
    fn keep_size(&self) -> Option<Decision> {
        let short = self.fleet.desired < self.goal;
        short.then(|| act(Action::SetDesired { instances: self.goal.min(self.fleet.max) }))
    }

    /// Without replacement, as long as desired capacity stays at what the group is to have.
    fn terminate(&self, mut ids: Vec<InstanceId>) -> Option<Decision> {
        let spare = self.fleet.desired.saturating_sub(self.fleet.min.max(self.goal)) as usize;
        let decrement = spare > 0;
        if decrement {
            ids.truncate(spare);
        }
        (!ids.is_empty()).then(|| act(Action::Terminate { ids, decrement }))
    }

    fn outcome(&self, reason: &str) -> Outcome {
        let reason = reason.to_owned();
        if is_first(self.record) {
            let serving = "nothing serves: it was the app's first deploy".to_owned();
            return Outcome::Failed { reason, serving };
        }
        Outcome::RolledBack { reason }
    }
}
