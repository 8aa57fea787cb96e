//! The Auto Scaling group, empty, and the launch hook that keeps an instance out until it is healthy.

use adf_types::AppName;
use aws_sdk_autoscaling::types::{LaunchTemplateSpecification, Tag};

use super::super::error::failed;
use super::super::{Aws, AwsError};
use super::Found;

/// The agent completes this hook with CONTINUE once the app is healthy.
const LAUNCH_HOOK: &str = "adf-launch";

/// How long a launch may take before AWS gives up on it: longer than any `boot_timeout` that fits a deploy.
const HOOK_SECONDS: i32 = 900;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewGroup<'a> {
    pub name: &'a str,
    pub app: &'a AppName,
    pub template_id: &'a str,
    pub subnets: &'a [String],
    /// ARN; `None` for an app without a load balancer.
    pub target_group_arn: Option<&'a str>,
    /// Instances that the first deploy starts; the maximum is twice that, because a deploy doubles the fleet.
    pub capacity: u32,
}

impl Aws {
    pub async fn ensure_group(&self, new: &NewGroup<'_>) -> Result<Found, AwsError> {
        let found = if self.group(new.name).await?.is_some() {
            Found::Found
        } else {
            self.create_group(new).await?;
            Found::Created
        };
        self.ensure_launch_hook(new.name).await?;
        Ok(found)
    }

    async fn create_group(&self, new: &NewGroup<'_>) -> Result<(), AwsError> {
        let template = LaunchTemplateSpecification::builder()
            .launch_template_id(new.template_id)
            // Numbered: a version made later must not start by itself.
            .version("1")
            .build();
        let create = self
            .autoscaling
            .create_auto_scaling_group()
            .auto_scaling_group_name(new.name)
            .launch_template(template)
            .min_size(0)
            .desired_capacity(0)
            .max_size(i32::try_from(new.capacity.saturating_mul(2)).unwrap_or(i32::MAX))
            .vpc_zone_identifier(new.subnets.join(","))
            .set_target_group_arns(new.target_group_arn.map(|arn| vec![arn.to_owned()]))
            .health_check_type("EC2")
            .tags(tag(new.name, "adf:app", new.app.as_str()))
            .tags(tag(new.name, "adf:capacity", &new.capacity.to_string()));
        create.send().await.map_err(failed("CreateAutoScalingGroup", new.name))?;
        Ok(())
    }

    async fn ensure_launch_hook(&self, group: &str) -> Result<Found, AwsError> {
        let describe = self.autoscaling.describe_lifecycle_hooks().auto_scaling_group_name(group);
        let hooks = describe.send().await.map_err(failed("DescribeLifecycleHooks", group))?.lifecycle_hooks;
        if hooks.unwrap_or_default().iter().any(|h| h.lifecycle_hook_name.as_deref() == Some(LAUNCH_HOOK)) {
            return Ok(Found::Found);
        }
        let put = self.autoscaling.put_lifecycle_hook().auto_scaling_group_name(group);
        put.lifecycle_hook_name(LAUNCH_HOOK)
            .lifecycle_transition("autoscaling:EC2_INSTANCE_LAUNCHING")
            .heartbeat_timeout(HOOK_SECONDS)
            .default_result("ABANDON")
            .send()
            .await
            .map_err(failed("PutLifecycleHook", format!("{LAUNCH_HOOK} of {group}")))?;
        Ok(Found::Created)
    }
}

fn tag(group: &str, key: &str, value: &str) -> Tag {
    let tag = Tag::builder().resource_type("auto-scaling-group").resource_id(group);
    tag.key(key).value(value).propagate_at_launch(false).build()
}
