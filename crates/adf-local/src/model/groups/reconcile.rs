//! A group compares its counting members with desired capacity and launches or terminates the difference.
//!
//! Neighbours: `launch` adds one member, `victim` chooses who goes. Protection and suspended processes leave a difference
//! standing; whatever lifts them reconciles again.

use jiff::Timestamp;

use super::journal::cause;
use super::terminate::Hooks;
use super::{LifecycleState, Membership, Process};
use crate::model::agenda::Event;
use crate::model::{Instance, Model};

impl Model {
    pub(in crate::model) fn reconcile(&mut self, name: &str, now: Timestamp) {
        let Some(group) = self.groups.get(name) else { return };
        if group.deleting {
            return self.finish_deleting(name);
        }
        let (wanted, counting) = (group.wanted(), self.counting(name));
        if counting < wanted {
            self.launch_missing(name, wanted - counting, now);
        } else if counting > wanted {
            self.terminate_surplus(name, counting - wanted, now);
        }
        self.reconcile_warm_pool(name, now);
    }

    fn launch_missing(&mut self, name: &str, missing: u32, now: Timestamp) {
        let waits_until = self.groups[name].launches_from.filter(|from| now < *from);
        if let Some(from) = waits_until {
            self.agenda.at(from, Event::Reconcile { group: name.to_owned() });
            return;
        }
        if !self.has_process(name, Process::Launch) {
            return;
        }
        for _ in 0..missing {
            if !self.take_warm(name, now) && self.launch_member(name, None, now).is_err() {
                return self.launch_again_later(name, now);
            }
        }
        self.start_cooldown(name, now);
    }

    pub(super) fn launch_again_later(&mut self, name: &str, now: Timestamp) {
        let from = now + self.settings.launch_retry;
        if let Some(group) = self.groups.get_mut(name) {
            group.launches_from = Some(from);
        }
        self.agenda.at(from, Event::Reconcile { group: name.to_owned() });
    }

    fn terminate_surplus(&mut self, name: &str, surplus: u32, now: Timestamp) {
        if !self.has_process(name, Process::Terminate) {
            return;
        }
        let cause = cause(
            now,
            "an instance was taken out of service in response to a difference between desired and actual capacity, shrinking the capacity",
        );
        for _ in 0..surplus {
            let Some(victim) = self.choose_stale(name).or_else(|| self.choose_victim(name)) else { return };
            self.begin_terminating(&victim, &cause, Hooks::Run, now);
        }
        self.start_cooldown(name, now);
    }

    /// While a refresh runs, or rolls back, what it replaces goes before what it keeps.
    fn choose_stale(&mut self, name: &str) -> Option<String> {
        let stale = self.groups[name].active_refresh()?.stale.clone();
        self.choose_among(name, &|instance: &Instance, member: &Membership| {
            stale.contains(&instance.id) && member.counts() && !member.protected_from_scale_in
        })
    }

    /// A refresh keeps the least that is to serve, so what it launched ahead and does not need any more goes before what serves.
    pub(super) fn withdraw_unborn(&mut self, name: &str, now: Timestamp) {
        let unborn = |_: &Instance, member: &Membership| member.state != LifecycleState::InService;
        let cause = cause(
            now,
            "an instance was taken out of service that an instance refresh does not need any more",
        );
        let wanted = self.groups[name].wanted();
        for _ in wanted..self.counting(name) {
            let Some(victim) = self.choose_among(name, &unborn) else { return };
            self.begin_terminating(&victim, &cause, Hooks::Run, now);
        }
    }

    fn start_cooldown(&mut self, name: &str, now: Timestamp) {
        if let Some(group) = self.groups.get_mut(name) {
            group.cooldown_until = Some(now + group.cooldown);
        }
    }

    fn finish_deleting(&mut self, name: &str) {
        if self.members(name).next().is_none() {
            self.groups.remove(name);
        }
    }
}
