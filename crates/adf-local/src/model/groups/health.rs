//! Health in a group's eyes, and replacing what is unhealthy (aws.md §4).

use std::time::Duration;

use jiff::Timestamp;

use super::journal::cause;
use super::terminate::Hooks;
use super::{Group, LifecycleState, Membership, Process};
use crate::model::agenda::Event;
use crate::model::{ApiError, InstanceState, Model, TargetState};

/// How long a replacement that has to wait for its turn waits before it looks again.
const TURN: Duration = Duration::from_secs(5);

/// What a group holds against a member.
enum Fault {
    /// EC2 says that it does not run: acted on at once, even in the grace period.
    NotRunning,
    /// EC2's status check has failed for a while.
    Impaired,
    /// A caller said so, through `SetInstanceHealth`.
    Reported,
    /// A target group says so, and the group listens to target groups.
    FailedElbCheck,
}

impl Model {
    /// `SetInstanceHealth`. Unhealthy respects the grace period unless told not to.
    pub fn set_instance_health(
        &mut self,
        id: &str,
        healthy: bool,
        respect_grace: bool,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let Some(member) = self.member(id) else {
            return Err(ApiError::validation(format!(
                "Instance Id not found - No managed instance found for instance ID: {id}"
            )));
        };
        if healthy && member.state.is_terminating() {
            return Err(ApiError::validation(format!(
                "The instance {id} is terminating and cannot be set to Healthy."
            )));
        }
        let in_grace =
            self.groups.get(&member.group).is_some_and(|group| grace_left(group, member, now).is_some());
        if !healthy && respect_grace && in_grace {
            return Ok(());
        }
        if let Some(member) = self.member_mut(id) {
            member.healthy = healthy;
        }
        self.check_health_soon(id, now);
        Ok(())
    }

    /// An instance left `running`: its group notices a reaction time later, unless it is in Standby, where health is frozen.
    pub(in crate::model) fn member_stopped_running(&mut self, id: &str, now: Timestamp) {
        if self.member(id).is_some() {
            self.check_health_soon(id, now);
        }
    }

    pub(in crate::model) fn check_health_soon(&mut self, id: &str, now: Timestamp) {
        let when = now + self.reaction();
        self.agenda.at(when, Event::CheckHealth { instance: id.to_owned() });
    }

    pub(in crate::model) fn check_member_health(&mut self, id: &str, now: Timestamp) {
        let Some(fault) = self.fault(id, now) else { return };
        let Some(member) = self.member_mut(id) else { return };
        member.healthy = false;
        let group = member.group.clone();
        if !self.has_process(&group, Process::ReplaceUnhealthy)
            || !self.has_process(&group, Process::Terminate)
        {
            return;
        }
        if matches!(fault, Fault::FailedElbCheck) && !self.may_replace_one_more(&group) {
            self.agenda.at(now + TURN, Event::CheckHealth { instance: id.to_owned() });
            return;
        }
        let why = match fault {
            Fault::NotRunning => "an EC2 health check indicating it has been terminated or stopped",
            Fault::Impaired => "an EC2 instance status checks failure",
            Fault::Reported => "a user health-check",
            Fault::FailedElbCheck => "an ELB system health check failure",
        };
        let why = cause(now, &format!("an instance was taken out of service in response to {why}"));
        let gone = matches!(fault, Fault::NotRunning) && !self.settings.ec2_termination_runs_hooks;
        self.begin_terminating(id, &why, if gone { Hooks::Skip } else { Hooks::Run }, now);
        self.reconcile_soon(&group, now);
    }

    fn fault(&self, id: &str, now: Timestamp) -> Option<Fault> {
        let instance = self.instances.get(id)?;
        let member = instance.membership.as_ref()?;
        if member.warm.is_some() {
            return warm_fault(instance.state, member);
        }
        let member = Some(member).filter(|member| member.counts())?;
        let group = self.groups.get(&member.group)?;
        if !member.healthy {
            return Some(Fault::Reported);
        }
        if group.suspended.contains(&Process::HealthCheck) {
            return None;
        }
        if !matches!(instance.state, InstanceState::Pending | InstanceState::Running) {
            return Some(Fault::NotRunning);
        }
        let checked = member.state == LifecycleState::InService && grace_left(group, member, now).is_none();
        if checked && instance.impaired_since.is_some_and(|since| since + self.settings.impaired_wait <= now)
        {
            return Some(Fault::Impaired);
        }
        let listens = checked && group.elb_health;
        (listens && self.fails_elb_checks(id, group)).then_some(Fault::FailedElbCheck)
    }

    /// Only attachments that have worked once count: a group that never passed is not terminated.
    fn fails_elb_checks(&self, id: &str, group: &Group) -> bool {
        let attached = group.attachments.iter().filter(|attachment| attachment.in_service);
        let targets = attached.filter_map(|attachment| self.target_groups.get(&attachment.target_group_arn));
        targets
            .flat_map(|group| &group.targets)
            .any(|(key, target)| key.id == id && target.state == TargetState::Unhealthy)
    }

    /// Failed load balancer checks replace at most a tenth of desired (or one) at a time.
    fn may_replace_one_more(&self, group: &str) -> bool {
        let desired = self.groups[group].desired;
        let serving = self
            .members(group)
            .filter(|(_, member)| member.state == LifecycleState::InService && member.healthy);
        let missing = desired.saturating_sub(u32::try_from(serving.count()).unwrap_or(u32::MAX));
        missing <= (desired / 10).max(1)
    }
}

/// Of a member of the warm pool it counts only that it is gone: most of them are stopped.
fn warm_fault(state: InstanceState, member: &Membership) -> Option<Fault> {
    let gone = matches!(state, InstanceState::ShuttingDown | InstanceState::Terminated);
    (gone && !member.state.is_terminating()).then_some(Fault::NotRunning)
}

/// When the member's grace period ends, while it lasts.
fn grace_left(group: &Group, member: &Membership, now: Timestamp) -> Option<Timestamp> {
    let end = member.in_service_at? + group.grace;
    (now < end).then_some(end)
}
