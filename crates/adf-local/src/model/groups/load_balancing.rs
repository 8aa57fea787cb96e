//! Target groups attached to a group, and registering its members with them.

use jiff::Timestamp;

use super::{Attachment, LifecycleState, Process};
use crate::model::{ApiError, Model, TargetKey};

impl Model {
    /// Attaches target groups; members in service are registered.
    pub fn attach_target_groups(
        &mut self,
        name: &str,
        arns: &[String],
        now: Timestamp,
    ) -> Result<(), ApiError> {
        self.check_target_groups(arns)?;
        self.refuse_during_refresh(name)?;
        let group = self.group_mut(name)?;
        for arn in arns {
            if !group.attachments.iter().any(|attachment| attachment.target_group_arn == *arn) {
                group.attachments.push(Attachment { target_group_arn: arn.clone(), in_service: false });
            }
        }
        if self.has_process(name, Process::AddToLoadBalancer) {
            for id in self.in_service(name) {
                self.register_member(&id, name, now);
            }
        }
        Ok(())
    }

    /// Detaches target groups; members are deregistered.
    pub fn detach_target_groups(
        &mut self,
        name: &str,
        arns: &[String],
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let group = self.group_mut(name)?;
        if let Some(arn) =
            arns.iter().find(|arn| !group.attachments.iter().any(|it| it.target_group_arn == **arn))
        {
            return Err(ApiError::validation(format!(
                "Trying to remove Target Groups that are not part of the group: {arn}"
            )));
        }
        group.attachments.retain(|attachment| !arns.contains(&attachment.target_group_arn));
        for id in self.in_service(name) {
            for arn in arns {
                self.drain(arn, &id, None, now);
            }
        }
        Ok(())
    }

    pub(super) fn check_target_groups(&self, arns: &[String]) -> Result<(), ApiError> {
        if arns.iter().all(|arn| self.target_groups.contains_key(arn)) {
            return Ok(());
        }
        Err(ApiError::validation(
            "Provided Target Groups may not be valid. Please ensure they exist and try again.",
        ))
    }

    /// Registers with every attached target group, on its port. A machine that does not run is left out: `RegisterTargets` would
    /// refuse it, and the group's health check finds it next.
    pub(super) fn register_member(&mut self, id: &str, group: &str, now: Timestamp) {
        for arn in self.attached(group) {
            let Some(port) = self.target_groups.get(&arn).map(|group| group.port) else { continue };
            let _ = self.register_targets(&arn, &[TargetKey { id: id.to_owned(), port }], now);
        }
    }

    pub(super) fn deregister_member(&mut self, id: &str, group: &str, now: Timestamp) {
        for arn in self.attached(group) {
            self.drain(&arn, id, None, now);
        }
    }

    /// A target passed its first check: the attachments of groups that it is a member of work.
    pub(in crate::model) fn attachment_works(&mut self, arn: &str, instance: &str) {
        let Some(group) = self.member(instance).map(|member| member.group.clone()) else { return };
        let attachments = self.groups.get_mut(&group).map(|group| &mut group.attachments);
        for attachment in attachments.into_iter().flatten().filter(|it| it.target_group_arn == arn) {
            attachment.in_service = true;
        }
    }

    fn attached(&self, group: &str) -> Vec<String> {
        let attachments = self.groups.get(group).map(|group| group.attachments.as_slice());
        attachments.unwrap_or_default().iter().map(|it| it.target_group_arn.clone()).collect()
    }

    fn in_service(&self, group: &str) -> Vec<String> {
        self.members(group)
            .filter(|(_, member)| member.state == LifecycleState::InService)
            .map(|(instance, _)| instance.id.clone())
            .collect()
    }
}
