//! Instances that join or leave a group alive. No hooks run.

use jiff::Timestamp;

use super::journal::cause;
use super::{Activity, Entry, IDS_A_CALL, LifecycleState, check_id_count};
use crate::model::{ApiError, ExitOverMax, InstanceState, Model};

impl Model {
    /// Adds running instances that are in no group, all or none; desired rises by their number.
    pub fn attach_instances(&mut self, group: &str, ids: &[String], now: Timestamp) -> Result<(), ApiError> {
        self.existing_group(group)?;
        check_id_count(ids, IDS_A_CALL)?;
        for id in ids {
            self.check_attachable(group, id)?;
        }
        self.raise_desired(group, ids.len(), ExitOverMax::Refused, "attach")?;
        for id in ids {
            let why = cause(now, &format!("an instance was attached in response to user request: {id}"));
            let activity =
                self.start_instance_activity(group, id, "Attaching an existing EC2 instance", why, now);
            self.join(id, group, None, Entry::Attached, Some(activity));
            self.advance_soon(id, now);
        }
        self.reconcile_soon(group, now);
        Ok(())
    }

    /// Lets members in service or in Standby go, all or none; they keep running. Without `decrement` those in service are replaced.
    pub fn detach_instances(
        &mut self,
        group: &str,
        ids: &[String],
        decrement: bool,
        now: Timestamp,
    ) -> Result<Vec<Activity>, ApiError> {
        self.existing_group(group)?;
        check_id_count(ids, IDS_A_CALL)?;
        for id in ids {
            let state = self.member_of(group, id)?.state;
            if !matches!(state, LifecycleState::InService | LifecycleState::Standby) {
                return Err(ApiError::validation(format!(
                    "The instance {id} is not in InService or Standby."
                )));
            }
        }
        if decrement {
            self.decrement_desired(group, ids.len(), "detach")?;
        }
        let leave = |model: &mut Self, id: &String| {
            let why = cause(now, &format!("instance {id} was detached in response to a user request"));
            let activity = model.start_instance_activity(group, id, "Detaching EC2 instance", why, now);
            if let Some(member) = model.member_mut(id) {
                member.state = LifecycleState::Detaching;
                member.protected_from_scale_in = false;
                member.activity = Some(activity.clone());
            }
            model.deregister_member(id, group, now);
            model.advance_soon(id, now);
            activity
        };
        let activities: Vec<String> = ids.iter().map(|id| leave(self, id)).collect();
        self.reconcile_soon(group, now);
        Ok(self.activities_by_id(&activities))
    }

    fn check_attachable(&self, group: &str, id: &str) -> Result<(), ApiError> {
        let refuse = |text: String| Err(ApiError::validation(text));
        let Some(instance) = self.instances.get(id) else {
            return refuse(format!("Invalid Instance ID(s): [{id}] specified. Instance(s) not found."));
        };
        if instance.state != InstanceState::Running {
            return refuse(format!(
                "Invalid Instance ID(s): [{id}] specified. Instance(s) are not in a running state."
            ));
        }
        if let Some(held) = instance.group() {
            return refuse(format!(
                "Invalid Instance ID(s): [{id}] specified. Instance(s) are already part of AutoScalingGroup {held}."
            ));
        }
        let zones = self.groups[group].subnet_ids.iter().filter_map(|subnet| self.network.subnet(subnet));
        if zones.map(|subnet| &subnet.zone).any(|zone| *zone == instance.zone) {
            return Ok(());
        }
        refuse(format!(
            "The availability zone(s) {} of instance(s) {id} are not part of AutoScalingGroup {group}.",
            instance.zone
        ))
    }
}
