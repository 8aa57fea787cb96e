//! What a group launches.

use aws_sdk_autoscaling::types::{AutoScalingGroup, LaunchTemplateSpecification, MixedInstancesPolicy};

use super::super::error::{failed, incomplete};
use super::super::{Aws, AwsError};

impl Aws {
    /// From here on the group launches this version of its template. A group of several instance types keeps
    /// them: its policy is sent back as it was, with the other version.
    pub async fn set_group_template(&self, group: &str, version: u64) -> Result<(), AwsError> {
        let lacks = || incomplete("DescribeAutoScalingGroups", group, "a launch template");
        let described = self.describe_group(group).await?.ok_or_else(lacks)?;
        let update = self.autoscaling.update_auto_scaling_group().auto_scaling_group_name(group);
        let update = match with_version(described, version).ok_or_else(lacks)? {
            Launches::Template(template) => update.launch_template(template),
            Launches::Mixed(policy) => update.mixed_instances_policy(policy),
        };
        let target = format!("{group} to template version {version}");
        update.send().await.map_err(failed("UpdateAutoScalingGroup", target))?;
        Ok(())
    }
}

/// The two forms in which a group names its template.
enum Launches {
    Template(LaunchTemplateSpecification),
    Mixed(MixedInstancesPolicy),
}

fn with_version(group: AutoScalingGroup, version: u64) -> Option<Launches> {
    if let Some(mut policy) = group.mixed_instances_policy {
        let template = policy.launch_template.as_mut()?.launch_template_specification.as_mut()?;
        template.version = Some(version.to_string());
        return Some(Launches::Mixed(policy));
    }
    // AWS shows id and name, and takes only one of them.
    let id = group.launch_template?.launch_template_id?;
    let template = LaunchTemplateSpecification::builder().launch_template_id(id);
    Some(Launches::Template(template.version(version.to_string()).build()))
}
