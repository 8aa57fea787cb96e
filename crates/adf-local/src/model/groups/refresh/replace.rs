//! Which old members go now, and how many new ones may come before an old one went.

use jiff::Timestamp;

use super::census::Census;
use super::preferences::Strays;
use super::record::InstanceRefresh;
use crate::model::groups::journal::cause;
use crate::model::groups::terminate::Hooks;
use crate::model::groups::{Group, LifecycleState, Membership};
use crate::model::{Instance, Model};

/// How far a group may be from desired while it is refreshed.
struct Bounds {
    /// In service, healthy and warmed up, at least.
    least: u32,
    /// Above desired, at most.
    surge: u32,
}

impl Model {
    pub(super) fn replace_some(&mut self, name: &str, census: &Census, now: Timestamp) {
        let Some(refresh) = self.active_refresh(name).cloned() else { return };
        let bounds = self.bounds(&self.groups[name], &refresh);
        let budget = refresh.allowance().saturating_sub(refresh.total.saturating_sub(census.stale));
        let id = &refresh.id;
        let why =
            cause(now, &format!("an instance was taken out of service in response to instance refresh {id}"));
        if refresh.preferences.standby == Strays::Replace {
            for standby in self.stale_in(name, &refresh, LifecycleState::Standby) {
                self.begin_terminating(&standby, &why, Hooks::Run, now);
            }
        }
        let mut going = census.serving().saturating_sub(bounds.least).min(budget);
        let mut gone = 0;
        while going > 0 {
            let candidate =
                |instance: &Instance, member: &Membership| is_candidate(&refresh, instance, member);
            let Some(victim) = self.choose_among(name, &candidate) else { break };
            self.begin_terminating(&victim, &why, Hooks::Run, now);
            (going, gone) = (going - 1, gone + 1);
        }
        let candidates =
            self.members(name).filter(|(instance, member)| is_candidate(&refresh, instance, member)).count();
        let candidates = u32::try_from(candidates).unwrap_or(u32::MAX);
        let ahead = bounds.surge.min(candidates).min(budget - gone);
        // What was launched ahead is not cut while the least lacks: an old one that serves might be what is cut.
        let kept = if census.serving() < bounds.least { self.groups[name].refresh_surge } else { 0 };
        self.set_surge(name, ahead.max(kept), now);
        self.forget_settled(name);
        self.explain_waiting(name, candidates);
        self.reconcile_soon(name, now);
    }

    /// Max omitted: old ones end while new ones start, at least one at a time. Max given and no room: launched first.
    fn bounds(&self, group: &Group, refresh: &InstanceRefresh) -> Bounds {
        let desired = group.desired;
        let share = |percentage: u32, up: bool| {
            let exact = desired * percentage;
            if up { exact.div_ceil(100) } else { exact / 100 }
        };
        let least = share(refresh.preferences.min_healthy, self.settings.refresh_min_rounds_up).min(desired);
        let Some(max) = refresh.preferences.max_healthy else {
            return Bounds { least: least.min(desired.saturating_sub(1)), surge: 0 };
        };
        let surge = share(max, self.settings.refresh_max_rounds_up).saturating_sub(desired);
        let surge = if surge == 0 && least == desired { 1 } else { surge };
        let room = group.max.saturating_sub(desired);
        Bounds { least, surge: if self.settings.refresh_may_exceed_max { surge } else { surge.min(room) } }
    }

    fn stale_in(&self, name: &str, refresh: &InstanceRefresh, state: LifecycleState) -> Vec<String> {
        self.members(name)
            .filter(|(instance, member)| refresh.stale.contains(&instance.id) && member.state == state)
            .map(|(instance, _)| instance.id.clone())
            .collect()
    }

    /// Says whom the refresh waits for when only protected and Standby members are left.
    fn explain_waiting(&mut self, name: &str, candidates: u32) {
        let Some(refresh) = self.refresh_mut(name) else { return };
        if candidates == 0 && refresh.reason.is_none() && !refresh.stale.is_empty() {
            let some = refresh.stale.iter().next().cloned().unwrap_or_default();
            refresh.reason = Some(format!(
                "Waiting for instances that are protected from scale in or in Standby. For example: {some}"
            ));
        }
    }
}

/// A stale member in service that may be replaced.
fn is_candidate(refresh: &InstanceRefresh, instance: &Instance, member: &Membership) -> bool {
    refresh.stale.contains(&instance.id)
        && member.state == LifecycleState::InService
        && (!member.protected_from_scale_in || refresh.preferences.protected == Strays::Replace)
}
