//! The end of a member: deregistered, hooks and draining waited for, then its machine is shut down.

use jiff::Timestamp;

use super::journal::cause;
use super::{Activity, ActivityStatus, LifecycleState, Transition};
use crate::model::agenda::Event;
use crate::model::{ApiError, InstanceState, Model, StandbyTermination};

/// Whether a group's terminating hooks hold the termination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hooks {
    Run,
    Skip,
}

/// Two calls that AWS refuses for members of a warm pool.
pub(super) fn in_warm_pool(id: &str) -> ApiError {
    ApiError::validation(format!(
        "The instance {id} is in a warm pool and cannot be used with this operation."
    ))
}

impl Model {
    /// `TerminateInstanceInAutoScalingGroup`; `decrement` keeps the group from replacing it.
    pub fn terminate_in_group(
        &mut self,
        id: &str,
        decrement: bool,
        now: Timestamp,
    ) -> Result<Activity, ApiError> {
        let Some(member) = self.member(id) else {
            return Err(ApiError::validation(format!(
                "Instance Id not found - No managed instance found for instance ID: {id}"
            )));
        };
        if member.warm.is_some() {
            return Err(in_warm_pool(id));
        }
        let (group, state) = (member.group.clone(), member.state);
        let outside = state == LifecycleState::Standby || state == LifecycleState::EnteringStandby;
        let counted = match self.settings.standby_termination {
            StandbyTermination::OutsideDesired => !outside,
            StandbyTermination::CountedInDesired => true,
        };
        if decrement && counted && !state.is_terminating() {
            self.decrement_for_termination(&group)?;
        }
        let why =
            cause(now, &format!("instance {id} was taken out of service in response to a user request"));
        self.begin_terminating(id, &why, Hooks::Run, now);
        self.reconcile_soon(&group, now);
        let activity = self.member(id).and_then(|member| self.activity(member.activity.as_deref()?));
        Ok(activity.cloned().expect("a terminating member has an activity"))
    }

    fn decrement_for_termination(&mut self, name: &str) -> Result<(), ApiError> {
        let group = self.group_mut(name)?;
        if group.desired <= group.min {
            return Err(ApiError::validation(format!(
                "Currently, desiredSize equals minSize ({}). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.",
                group.min
            )));
        }
        group.desired -= 1;
        Ok(())
    }

    /// Irreversible; nothing when it has begun already.
    pub(super) fn begin_terminating(&mut self, id: &str, why: &str, hooks: Hooks, now: Timestamp) {
        let Some(member) = self.member(id).filter(|member| !member.state.is_terminating()) else { return };
        let group = member.group.clone();
        self.end(id, ActivityStatus::Cancelled, None, now);
        let activity =
            self.start_instance_activity(&group, id, "Terminating EC2 instance", why.to_owned(), now);
        let hooks = match hooks {
            Hooks::Run => self.hook_names(id, Transition::Terminating),
            Hooks::Skip => Vec::new(),
        };
        if let Some(member) = self.member_mut(id) {
            member.state = LifecycleState::Terminating;
            member.action = None;
            member.hooks_left = hooks;
            member.activity = Some(activity);
        }
        self.deregister_member(id, &group, now);
        self.agenda.at(now, Event::Advance { instance: id.to_owned() });
    }

    /// Hooks, overlapping the draining or after it; then the machine.
    pub(super) fn advance_terminating(&mut self, id: &str, now: Timestamp) {
        let draining = self.is_draining(id);
        let hooks_may_run = self.settings.terminating_hook_overlaps_drain || !draining;
        if self.action_waits(id)
            || hooks_may_run && self.start_next_hook(id, LifecycleState::TerminatingWait, now)
        {
            return;
        }
        if draining {
            self.note(id, ActivityStatus::WaitingForElbConnectionDraining);
            return;
        }
        if let Some(member) = self.member_mut(id) {
            member.state = LifecycleState::TerminatingProceed;
        }
        self.note(id, ActivityStatus::InProgress);
        if self.instances[id].state == InstanceState::Terminated {
            self.member_terminated(id, now);
        } else {
            self.shut_down(id, "Client.UserInitiatedShutdown", "Auto Scaling terminated the instance", now);
        }
    }

    /// EC2 is done with the machine: a terminating member leaves its group.
    pub(in crate::model) fn member_terminated(&mut self, id: &str, now: Timestamp) {
        let Some(member) = self.member(id) else { return };
        if member.state != LifecycleState::TerminatingProceed {
            return;
        }
        let group = member.group.clone();
        self.end(id, ActivityStatus::Successful, None, now);
        if let Some(instance) = self.instances.get_mut(id) {
            instance.membership = None;
        }
        self.agenda.at(now + self.settings.terminated_visible, Event::Forget { instance: id.to_owned() });
        self.agenda.at(now, Event::Reconcile { group });
    }
}
