//! A new group.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::mixed::MixedInstances;
use super::{Attachment, Group, GroupTag, HookRequest};
use crate::model::templates::TemplateKey;
use crate::model::{ApiError, Model};

/// The parameters that `CreateAutoScalingGroup` and `UpdateAutoScalingGroup` share; absent ones keep what is there.
#[derive(Clone, Debug, Default)]
pub struct GroupSpec {
    pub min: Option<u32>,
    pub max: Option<u32>,
    pub desired: Option<u32>,
    pub template: Option<(TemplateKey, Option<String>)>,
    /// A policy whose template is `template`.
    pub mixed: Option<MixedInstances>,
    pub subnet_ids: Option<Vec<String>>,
    pub zones: Option<Vec<String>>,
    /// `EC2` or `ELB`.
    pub health_check_type: Option<String>,
    pub grace: Option<Duration>,
    pub cooldown: Option<Duration>,
    pub default_warmup: Option<i32>,
    pub new_instances_protected: Option<bool>,
    pub termination_policies: Option<Vec<String>>,
}

/// Parameters of `CreateAutoScalingGroup`.
#[derive(Clone, Debug, Default)]
pub struct NewGroup {
    pub name: String,
    pub spec: GroupSpec,
    pub target_group_arns: Vec<String>,
    pub tags: BTreeMap<String, GroupTag>,
    pub hooks: Vec<HookRequest>,
}

impl Model {
    /// Makes a group; its instances follow one reaction time later.
    pub fn create_group(&mut self, new: NewGroup, now: Timestamp) -> Result<(), ApiError> {
        self.check_new_group(&new)?;
        let arn_tail = self.ids.uuid();
        let mut group = Group {
            arn: self.arn(
                "autoscaling",
                &format!("autoScalingGroup:{arn_tail}:autoScalingGroupName/{}", new.name),
            ),
            name: new.name,
            created_at: now,
            min: 0,
            max: 0,
            desired: 0,
            template: None,
            mixed: None,
            subnet_ids: Vec::new(),
            attachments: new.target_group_arns.into_iter().map(attached_at_creation).collect(),
            elb_health: false,
            grace: Duration::ZERO,
            cooldown: Duration::from_mins(5),
            default_warmup: None,
            new_instances_protected: false,
            termination_policies: vec!["Default".to_owned()],
            tags: new.tags,
            hooks: BTreeMap::new(),
            suspended: BTreeSet::new(),
            activities: Vec::new(),
            deleting: false,
            refreshes: Vec::new(),
            refresh_surge: 0,
            rebalance: None,
            cooldown_until: None,
            launches_from: None,
        };
        for hook in new.hooks {
            let hook = hook.over(None)?;
            group.hooks.insert(hook.name.clone(), hook);
        }
        self.apply_spec(&mut group, &new.spec)?;
        let name = group.name.clone();
        self.groups.insert(name.clone(), group);
        self.reconcile_soon(&name, now);
        Ok(())
    }

    fn check_new_group(&self, new: &NewGroup) -> Result<(), ApiError> {
        if new.name.is_empty() || new.name.len() > 255 || new.name.contains(':') {
            return Err(ApiError::validation(format!(
                "1 validation error detected: Value '{}' at 'autoScalingGroupName' failed to satisfy constraint: Member must have length between 1 and 255 and contain no colon",
                new.name
            )));
        }
        if self.groups.contains_key(&new.name) {
            return Err(ApiError::new(
                "AlreadyExists",
                format!(
                    "AutoScalingGroup by this name already exists - A group with the name {} already exists",
                    new.name
                ),
            ));
        }
        if new.spec.template.is_none() {
            return Err(ApiError::validation(
                "Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter.",
            ));
        }
        if new.spec.subnet_ids.is_none() && new.spec.zones.is_none() {
            return Err(ApiError::validation("At least one Availability Zone or VPC Subnet is required."));
        }
        self.check_target_groups(&new.target_group_arns)
    }
}

/// AWS takes an attachment made at creation as `InService` immediately (aws.md §4).
fn attached_at_creation(target_group_arn: String) -> Attachment {
    Attachment { target_group_arn, in_service: true }
}
