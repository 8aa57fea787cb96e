//! A member's next move (aws.md §1).
//!
//! Neighbours: every verb that changes what a member waits for puts an `Advance` on the agenda; this file looks at the
//! member as it is then and moves it, or leaves it when it still waits. Standby and `InService` are at rest, and so are warm members once they are prepared.

use jiff::Timestamp;

use super::{ActivityStatus, Entry, LifecycleState, Process, Transition};
use crate::model::agenda::Event;
use crate::model::{InstanceState, Model};

impl Model {
    pub(in crate::model) fn advance(&mut self, id: &str, now: Timestamp) {
        let Some(member) = self.member(id) else { return };
        match (member.state, member.entry) {
            (LifecycleState::Pending, Entry::Launched) => self.begin_launch_hooks(id, now),
            (LifecycleState::PendingWait, _) => self.next_launch_hook(id, now),
            (LifecycleState::Pending, Entry::Attached | Entry::LeftStandby)
            | (LifecycleState::PendingProceed, _) => self.enter_service(id, now),
            (LifecycleState::EnteringStandby, _) => self.reach_standby(id, now),
            (LifecycleState::Detaching, _) => self.finish_detaching(id, now),
            (LifecycleState::Terminating | LifecycleState::TerminatingWait, _) => {
                self.advance_terminating(id, now);
            }
            _ => {}
        }
    }

    fn begin_launch_hooks(&mut self, id: &str, now: Timestamp) {
        if self.instances[id].state != InstanceState::Running {
            return;
        }
        let hooks = self.hook_names(id, Transition::Launching);
        if let Some(member) = self.member_mut(id) {
            member.hooks_left = hooks;
        }
        self.next_launch_hook(id, now);
    }

    /// Nothing while an action waits; else the next hook, or on to service.
    fn next_launch_hook(&mut self, id: &str, now: Timestamp) {
        if self.action_waits(id) || self.start_next_hook(id, LifecycleState::PendingWait, now) {
            return;
        }
        if let Some(member) = self.member_mut(id) {
            member.state = LifecycleState::PendingProceed;
        }
        self.note(id, ActivityStatus::PreInService);
        self.agenda.at(now, Event::Advance { instance: id.to_owned() });
    }

    /// Registered with the target groups, then in service; healthy or not is another matter.
    fn enter_service(&mut self, id: &str, now: Timestamp) {
        let Some(group) = self.member(id).map(|member| member.group.clone()) else { return };
        if let Some(state) = self.member(id).and_then(|member| member.warm) {
            return self.rest_in_pool(id, &group, state, now);
        }
        if self.has_process(&group, Process::AddToLoadBalancer) {
            self.register_member(id, &group, now);
        }
        if let Some(member) = self.member_mut(id) {
            member.state = LifecycleState::InService;
            member.in_service_at = Some(now);
        }
        self.end(id, ActivityStatus::Successful, None, now);
        let grace = self.groups.get(&group).map(|group| group.grace).unwrap_or_default();
        self.agenda.at(now, Event::CheckHealth { instance: id.to_owned() });
        self.agenda.at(now + grace, Event::CheckHealth { instance: id.to_owned() });
    }

    fn reach_standby(&mut self, id: &str, now: Timestamp) {
        if self.settings.standby_waits_for_drain && self.is_draining(id) {
            self.note(id, ActivityStatus::WaitingForElbConnectionDraining);
            return;
        }
        if let Some(member) = self.member_mut(id) {
            member.state = LifecycleState::Standby;
        }
        self.end(id, ActivityStatus::Successful, None, now);
    }

    fn finish_detaching(&mut self, id: &str, now: Timestamp) {
        if self.is_draining(id) {
            self.note(id, ActivityStatus::WaitingForElbConnectionDraining);
            return;
        }
        self.end(id, ActivityStatus::Successful, None, now);
        if let Some(instance) = self.instances.get_mut(id) {
            instance.membership = None;
        }
    }
}
