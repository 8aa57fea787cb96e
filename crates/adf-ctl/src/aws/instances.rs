//! Single EC2 instances: the canary, which no group owns.

use std::collections::BTreeMap;

use adf_types::InstanceId;
use aws_sdk_ec2::types::{
    Filter, InstanceStateName, LaunchTemplateSpecification, ResourceType, Tag, TagSpecification,
};

use super::error::{failed, incomplete};
use super::{Aws, AwsError};

/// Where a machine is; what it runs is the receipt's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MachineState {
    Pending,
    Running,
    /// Stopping, stopped, shutting down or terminated.
    Gone,
}

/// How to launch one instance outside the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryLaunch {
    pub template_id: String,
    pub template_version: u64,
    /// At most 64 characters; the same token launches once (per subnet).
    pub client_token: String,
    pub subnet: Option<String>,
    pub tags: BTreeMap<String, String>,
}

impl Aws {
    pub async fn launch_instance(&self, launch: &CanaryLaunch) -> Result<InstanceId, AwsError> {
        let what = format!("{} version {}", launch.template_id, launch.template_version);
        let template = LaunchTemplateSpecification::builder()
            .launch_template_id(&launch.template_id)
            .version(launch.template_version.to_string())
            .build();
        let tags = launch.tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect();
        let tags =
            TagSpecification::builder().resource_type(ResourceType::Instance).set_tags(Some(tags)).build();
        let run = self.ec2.run_instances().min_count(1).max_count(1).launch_template(template);
        let answer = run
            .client_token(&launch.client_token)
            .set_subnet_id(launch.subnet.clone())
            .tag_specifications(tags)
            .send()
            .await
            .map_err(failed("RunInstances", &what))?;
        let id = answer.instances.unwrap_or_default().into_iter().find_map(|i| i.instance_id);
        id.and_then(|id| id.parse().ok()).ok_or_else(|| incomplete("RunInstances", what, "an instance id"))
    }

    /// Queues a reboot of each; AWS forces it when the system does not shut down within minutes.
    pub async fn reboot(&self, ids: &[InstanceId]) -> Result<(), AwsError> {
        let names: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let target = names.join(", ");
        let reboot = self.ec2.reboot_instances().set_instance_ids(Some(names));
        reboot.send().await.map_err(failed("RebootInstances", target))?;
        Ok(())
    }

    /// Live instances that carry all of `tags`.
    pub async fn instances_tagged(&self, tags: &[(&str, &str)]) -> Result<Vec<InstanceId>, AwsError> {
        let by_tag = tags.iter().map(|(k, v)| filter(&format!("tag:{k}"), &[v]));
        let live = filter("instance-state-name", &["pending", "running"]);
        let mut pages = self
            .ec2
            .describe_instances()
            .set_filters(Some(by_tag.chain([live]).collect()))
            .into_paginator()
            .items()
            .send();
        let mut found = Vec::new();
        while let Some(reservation) = pages.next().await {
            let reservation = reservation.map_err(failed("DescribeInstances", "by tag"))?;
            let ids = reservation.instances.unwrap_or_default().into_iter().filter_map(|i| i.instance_id);
            found.extend(ids.filter_map(|id| id.parse().ok()));
        }
        Ok(found)
    }

    /// The machine's state; `None` when EC2 does not know the id, which just after a launch is normal.
    pub async fn machine(&self, id: &InstanceId) -> Result<Option<MachineState>, AwsError> {
        let answer = self.ec2.describe_instances().instance_ids(id.as_str()).send().await;
        let answer = match answer.map_err(failed("DescribeInstances", id)) {
            Ok(answer) => answer,
            Err(AwsError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let instance = answer.reservations.unwrap_or_default().into_iter().filter_map(|r| r.instances);
        let state = instance.flatten().next().and_then(|i| i.state?.name);
        Ok(state.map(|name| match name {
            InstanceStateName::Pending => MachineState::Pending,
            InstanceStateName::Running => MachineState::Running,
            _ => MachineState::Gone,
        }))
    }

    /// Succeeds for an instance that is terminated already.
    pub async fn terminate_instance(&self, id: &InstanceId) -> Result<(), AwsError> {
        let terminate = self.ec2.terminate_instances().instance_ids(id.as_str()).send().await;
        match terminate.map(|_| ()).map_err(failed("TerminateInstances", id)) {
            Err(AwsError::NotFound { .. }) => Ok(()),
            other => other,
        }
    }
}

pub(super) fn filter(name: &str, values: &[&str]) -> Filter {
    let values = values.iter().map(|v| (*v).to_owned()).collect();
    Filter::builder().name(name).set_values(Some(values)).build()
}
