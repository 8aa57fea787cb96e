//! What a group launches.

use aws_sdk_autoscaling::types::{AutoScalingGroup, LaunchTemplateSpecification, MixedInstancesPolicy};

use super::super::error::{failed, incomplete};
use super::super::{Aws, AwsError};

impl Aws {
    /// From here on the group launches this version of its template. A group of several instance types keeps
    /// them: its policy is sent back as it was, with the other version.
    pub async fn set_group_template(&self, group: &str, version: u64) -> Result<(), AwsError> {
        let launches = self.launches(group, version).await?;
        let update = self.autoscaling.update_auto_scaling_group().auto_scaling_group_name(group);
        let update = match launches {
            Launches::Template(template) => update.launch_template(template),
            Launches::Mixed(policy) => update.mixed_instances_policy(policy),
        };
        let target = format!("{group} to template version {version}");
        update.send().await.map_err(failed("UpdateAutoScalingGroup", target))?;
        Ok(())
    }

    /// What the group launches now, with another version of its template.
    pub(in crate::aws) async fn launches(&self, group: &str, version: u64) -> Result<Launches, AwsError> {
        let lacks = || incomplete("DescribeAutoScalingGroups", group, "a launch template");
        let described = self.describe_group(group).await?.ok_or_else(lacks)?;
        with_version(described, version).ok_or_else(lacks)
    }
}

/// The two forms in which a group names its template.
pub(in crate::aws) enum Launches {
    Template(LaunchTemplateSpecification),
    Mixed(MixedInstancesPolicy),
}

fn with_version(group: AutoScalingGroup, version: u64) -> Option<Launches> {
    if let Some(mut policy) = group.mixed_instances_policy {
        let launched = policy.launch_template.as_mut()?;
        let template = launched.launch_template_specification.as_mut()?;
        template.version = Some(version.to_string());
        let overrides = launched.overrides.iter_mut().flatten();
        let own = overrides.filter_map(|it| it.launch_template_specification.as_mut());
        for template in launched.launch_template_specification.iter_mut().chain(own) {
            by_id_alone(template);
        }
        return Some(Launches::Mixed(policy));
    }
    let mut template = group.launch_template?;
    template.version = Some(version.to_string());
    by_id_alone(&mut template);
    Some(Launches::Template(template))
}

/// AWS shows a template's id and its name, and takes only one of them.
fn by_id_alone(template: &mut LaunchTemplateSpecification) {
    if template.launch_template_id.is_some() {
        template.launch_template_name = None;
    }
}
