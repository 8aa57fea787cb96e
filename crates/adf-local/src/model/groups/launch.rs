//! One more member: in the zone with the fewest, in another when that one has no room.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::journal::cause;
use super::{ActivityStatus, Entry, LifecycleState, Membership};
use crate::model::ec2::{Launch, template_tags};
use crate::model::templates::{LaunchData, TemplateKey, TemplateRef};
use crate::model::{ApiError, Model};

impl Model {
    /// Launches a member, or records a failed activity and returns what stopped it.
    pub(super) fn launch_member(&mut self, group: &str, now: Timestamp) -> Result<(), ApiError> {
        let cause = cause(
            now,
            "an instance was started in response to a difference between desired and actual capacity, increasing the capacity",
        );
        let activity = self.start_activity(group, "Launching a new EC2 instance".to_owned(), cause, now);
        match self.launch_somewhere(group, now) {
            Ok((instance, template)) => {
                self.name_activity(&activity, group, &instance, "Launching a new EC2 instance");
                self.join(&instance, group, Some(template), Entry::Launched, Some(activity));
                Ok(())
            }
            Err(error) => {
                self.fail_activity(&activity, group, &error, now);
                Err(error)
            }
        }
    }

    fn launch_somewhere(&mut self, group: &str, now: Timestamp) -> Result<(String, TemplateRef), ApiError> {
        let launching = self.groups[group].launching().ok_or_else(|| {
            ApiError::validation(format!("Auto Scaling group {group} has no launch template"))
        })?;
        let key = TemplateKey::Id(launching.template.id.clone());
        let (_, version) = self.template_version(&key, Some(&launching.template.version.to_string()))?;
        let (number, data) = (version.number, launching.data(&version.data));
        let template = launching.template;
        let mut failure = None;
        for subnet in self.subnets_by_members(group) {
            match self.launch_in(group, &subnet, &data, (template.id.clone(), number), now) {
                Ok(instance) => return Ok((instance, template)),
                Err(error) => failure = Some(error),
            }
        }
        Err(failure
            .unwrap_or_else(|| ApiError::validation(format!("Auto Scaling group {group} has no subnet"))))
    }

    fn launch_in(
        &mut self,
        group: &str,
        subnet_id: &str,
        data: &LaunchData,
        template: (String, u64),
        now: Timestamp,
    ) -> Result<String, ApiError> {
        self.check_launch(subnet_id, data.instance_type.as_deref(), now)?;
        let mut more_tags = template_tags(Some(&template));
        more_tags.extend(self.propagated_tags(group));
        let reservation_id = self.ids.resource("r");
        let launch = Launch {
            data,
            subnet_id,
            template: Some(template),
            reservation_id: &reservation_id,
            index: 0,
            client_token: None,
            more_tags,
        };
        self.launch(launch, now)
    }

    /// The group's subnets, the one with the fewest counting members first; one that a rebalance leaves comes last.
    fn subnets_by_members(&self, group: &str) -> Vec<String> {
        let mut subnets = self.groups[group].subnet_ids.clone();
        let members = |subnet: &String| {
            let in_subnet = |(instance, member): &(&crate::model::Instance, &Membership)| {
                instance.subnet_id == *subnet && member.state.counts()
            };
            self.members(group).filter(in_subnet).count()
        };
        let left = self.groups[group].rebalance.as_ref().and_then(|rebalance| rebalance.out_of.clone());
        let is_left = |subnet: &String| {
            left.is_some() && self.network.subnet(subnet).map(|subnet| &subnet.zone) == left.as_ref()
        };
        subnets.sort_by_cached_key(|subnet| (is_left(subnet), members(subnet)));
        subnets
    }

    fn propagated_tags(&self, group: &str) -> BTreeMap<String, String> {
        let tags = self.groups[group].tags.iter().filter(|(_, tag)| tag.propagate);
        let own = ("aws:autoscaling:groupName".to_owned(), group.to_owned());
        tags.map(|(key, tag)| (key.clone(), tag.value.clone())).chain([own]).collect()
    }

    /// Makes an instance a member in `Pending`.
    pub(super) fn join(
        &mut self,
        instance: &str,
        group: &str,
        template: Option<TemplateRef>,
        entry: Entry,
        activity: Option<String>,
    ) {
        let protected = self.groups[group].new_instances_protected;
        if let Some(instance) = self.instances.get_mut(instance) {
            instance.membership = Some(Membership {
                group: group.to_owned(),
                state: LifecycleState::Pending,
                healthy: true,
                protected_from_scale_in: protected,
                template,
                entry,
                in_service_at: None,
                action: None,
                hooks_left: Vec::new(),
                activity,
            });
        }
    }

    fn fail_activity(&mut self, activity: &str, group: &str, error: &ApiError, now: Timestamp) {
        let text = format!("{} Launching EC2 instance failed.", error.message);
        self.end_activity(group, activity, ActivityStatus::Failed, Some(text), now);
    }
}
