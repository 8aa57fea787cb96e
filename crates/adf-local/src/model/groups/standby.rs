//! Standby: out of service and outside desired capacity, still running. No hooks run on either way.

use jiff::Timestamp;

use super::journal::cause;
use super::{Activity, ActivityStatus, Entry, Group, IDS_A_CALL, LifecycleState, Process, check_id_count};
use crate::model::{ApiError, ExitOverMax, Model};

impl Model {
    /// Moves in-service members to Standby, all or none. Without `decrement` they are replaced.
    pub fn enter_standby(
        &mut self,
        group: &str,
        ids: &[String],
        decrement: bool,
        now: Timestamp,
    ) -> Result<Vec<Activity>, ApiError> {
        self.check_members_are(group, ids, LifecycleState::InService, "InService")?;
        if decrement {
            self.decrement_desired(group, ids.len(), "place into standby")?;
        }
        let what = "was moved to standby in response to a user request";
        let started = |model: &mut Self, id: &String| {
            let why = cause(now, &format!("instance {id} {what}"));
            let activity =
                model.start_instance_activity(group, id, "Moving EC2 instance to Standby", why, now);
            if let Some(member) = model.member_mut(id) {
                member.state = LifecycleState::EnteringStandby;
                member.activity = Some(activity.clone());
            }
            model.deregister_member(id, group, now);
            model.advance_soon(id, now);
            activity
        };
        let activities: Vec<String> = ids.iter().map(|id| started(self, id)).collect();
        self.reconcile_soon(group, now);
        Ok(self.activities_by_id(&activities))
    }

    /// Moves Standby members back to service, all or none. Desired always rises.
    pub fn exit_standby(
        &mut self,
        group: &str,
        ids: &[String],
        now: Timestamp,
    ) -> Result<Vec<Activity>, ApiError> {
        self.check_members_are(group, ids, LifecycleState::Standby, "Standby")?;
        if !self.has_process(group, Process::Launch) {
            return Err(ApiError::validation(format!(
                "The Launch process is suspended for AutoScalingGroup {group}, so instances cannot exit standby."
            )));
        }
        self.raise_desired(group, ids.len(), self.settings.exit_over_max, "exit standby")?;
        let returned = |model: &mut Self, id: &String| {
            let why =
                cause(now, &format!("instance {id} was moved out of standby in response to a user request"));
            let activity =
                model.start_instance_activity(group, id, "Moving EC2 instance out of Standby", why, now);
            if let Some(member) = model.member_mut(id) {
                member.state = LifecycleState::Pending;
                member.entry = Entry::LeftStandby;
                member.activity = Some(activity.clone());
            }
            model.note(id, ActivityStatus::PreInService);
            model.advance_soon(id, now);
            activity
        };
        let activities: Vec<String> = ids.iter().map(|id| returned(self, id)).collect();
        self.reconcile_soon(group, now);
        Ok(self.activities_by_id(&activities))
    }

    fn check_members_are(
        &self,
        group: &str,
        ids: &[String],
        state: LifecycleState,
        name: &str,
    ) -> Result<(), ApiError> {
        self.existing_group(group)?;
        check_id_count(ids, IDS_A_CALL)?;
        for id in ids {
            if self.member_of(group, id)?.state != state {
                return Err(ApiError::validation(format!("The instance {id} is not in {name}.")));
            }
        }
        Ok(())
    }

    /// Desired must stay at min or above.
    pub(super) fn decrement_desired(
        &mut self,
        name: &str,
        count: usize,
        purpose: &str,
    ) -> Result<(), ApiError> {
        let group = self.group_mut(name)?;
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        match group.desired.checked_sub(count).filter(|desired| *desired >= group.min) {
            Some(desired) => {
                group.desired = desired;
                Ok(())
            }
            None => Err(sizes_forbid(group, count, purpose)),
        }
    }

    /// Desired rises by `count`, at most to max.
    pub(super) fn raise_desired(
        &mut self,
        name: &str,
        count: usize,
        over: ExitOverMax,
        purpose: &str,
    ) -> Result<(), ApiError> {
        let group = self.group_mut(name)?;
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let desired = group.desired.saturating_add(count);
        if desired > group.max && over == ExitOverMax::Refused {
            return Err(sizes_forbid(group, count, purpose));
        }
        group.desired = desired.min(group.max);
        Ok(())
    }

    pub(super) fn activities_by_id(&self, ids: &[String]) -> Vec<Activity> {
        ids.iter().filter_map(|id| self.activity(id).cloned()).collect()
    }
}

/// AWS's sentence, `instances` in the plural for more than one.
fn sizes_forbid(group: &Group, count: u32, purpose: &str) -> ApiError {
    let plural = if count == 1 { "" } else { "s" };
    ApiError::validation(format!(
        "AutoScalingGroup {} has min-size={}, max-size={}, and desired-size={}. To {purpose} {count} instance{plural}, please update the AutoScalingGroup sizes appropriately.",
        group.name, group.min, group.max, group.desired
    ))
}
