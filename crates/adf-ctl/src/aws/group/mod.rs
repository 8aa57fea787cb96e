//! The Auto Scaling group: what it is, and one file for each thing that a deploy changes about it.

mod protect;
mod size;
mod standby;
pub(in crate::aws) mod template;

use adf_types::InstanceId;
use aws_sdk_autoscaling::types as sdk;

use super::error::{failed, incomplete};
use super::{Aws, AwsError};

/// The group as `DescribeAutoScalingGroups` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupState {
    pub name: String,
    pub desired: u32,
    pub min: u32,
    pub max: u32,
    pub template_id: String,
    pub template_version: TemplateVersion,
    pub subnets: Vec<String>,
    /// ARNs.
    pub target_groups: Vec<String>,
    /// Processes that somebody suspended, such as `Launch`.
    pub suspended: Vec<String>,
    pub tags: Vec<(String, String)>,
    pub members: Vec<MemberState>,
}

/// Which version of its launch template a group launches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateVersion {
    Number(u64),
    /// `$Latest` or `$Default`: resolved at each launch, so nobody can say what starts next.
    Floating(String),
}

impl TemplateVersion {
    fn parse(version: Option<&str>) -> Self {
        let text = version.unwrap_or("$Default");
        text.parse().map_or_else(|_| Self::Floating(text.to_owned()), Self::Number)
    }

    pub fn number(&self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Floating(_) => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberState {
    pub id: InstanceId,
    pub lifecycle: Lifecycle,
    pub template_version: Option<u64>,
    /// From scale-in.
    pub protected: bool,
}

/// A member's lifecycle state, as far as a deploy tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lifecycle {
    /// On its way in, its launch hook included.
    Pending,
    InService,
    EnteringStandby,
    Standby,
    /// Terminating or detaching: it never comes back.
    Leaving,
    /// A state this version does not know; AWS adds some.
    Other,
}

impl Lifecycle {
    fn of(state: Option<&sdk::LifecycleState>) -> Self {
        match state.map(sdk::LifecycleState::as_str) {
            Some("Pending" | "Pending:Wait" | "Pending:Proceed") => Self::Pending,
            Some("InService") => Self::InService,
            Some("EnteringStandby") => Self::EnteringStandby,
            Some("Standby") => Self::Standby,
            Some(s) if s.starts_with("Terminat") || s.starts_with("Detach") => Self::Leaving,
            _ => Self::Other,
        }
    }
}

impl Aws {
    /// The group, or `None` when there is none of this name.
    pub async fn group(&self, name: &str) -> Result<Option<GroupState>, AwsError> {
        self.describe_group(name).await?.map(group_state).transpose()
    }

    pub(in crate::aws) async fn describe_group(
        &self,
        name: &str,
    ) -> Result<Option<sdk::AutoScalingGroup>, AwsError> {
        let describe = self.autoscaling.describe_auto_scaling_groups().auto_scaling_group_names(name);
        let answer = describe.send().await.map_err(failed("DescribeAutoScalingGroups", name))?;
        Ok(answer.auto_scaling_groups.unwrap_or_default().into_iter().next())
    }
}

fn strings(ids: &[InstanceId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

fn list(ids: &[InstanceId]) -> String {
    strings(ids).join(", ")
}

fn group_state(group: sdk::AutoScalingGroup) -> Result<GroupState, AwsError> {
    let name = group.auto_scaling_group_name.unwrap_or_default();
    let lacks = |what| incomplete("DescribeAutoScalingGroups", &name, what);
    let mixed = group.mixed_instances_policy.and_then(|policy| policy.launch_template);
    let template = group.launch_template.or_else(|| mixed?.launch_template_specification);
    let template = template.ok_or_else(|| lacks("a launch template"))?;
    let template_id = template.launch_template_id.ok_or_else(|| lacks("the launch template's id"))?;
    let count =
        |value: Option<i32>, what| value.and_then(|v| u32::try_from(v).ok()).ok_or_else(|| lacks(what));
    Ok(GroupState {
        desired: count(group.desired_capacity, "its desired capacity")?,
        min: count(group.min_size, "its minimum size")?,
        max: count(group.max_size, "its maximum size")?,
        template_id,
        template_version: TemplateVersion::parse(template.version.as_deref()),
        subnets: group.vpc_zone_identifier.as_deref().map(comma_list).unwrap_or_default(),
        target_groups: group.target_group_arns.unwrap_or_default(),
        suspended: group
            .suspended_processes
            .unwrap_or_default()
            .into_iter()
            .filter_map(|p| p.process_name)
            .collect(),
        tags: group
            .tags
            .unwrap_or_default()
            .into_iter()
            .filter_map(|t| Some((t.key?, t.value.unwrap_or_default())))
            .collect(),
        members: group.instances.unwrap_or_default().iter().filter_map(member_state).collect(),
        name,
    })
}

fn comma_list(text: &str) -> Vec<String> {
    text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn member_state(instance: &sdk::Instance) -> Option<MemberState> {
    let version = instance.launch_template.as_ref().and_then(|t| t.version.as_deref());
    Some(MemberState {
        id: instance.instance_id.as_deref()?.parse().ok()?,
        lifecycle: Lifecycle::of(instance.lifecycle_state.as_ref()),
        template_version: version.and_then(|v| v.parse().ok()),
        protected: instance.protected_from_scale_in.unwrap_or_default(),
    })
}
