//! How fast an app's load balancer and group let a fresh instance in and an old one out: settings, read only.

use std::time::Duration;

use aws_sdk_elasticloadbalancingv2::types::TargetGroupAttribute;

use super::error::{failed, incomplete};
use super::targets::DEFAULT_DEREGISTRATION_DELAY;
use super::{Aws, AwsError};

/// A target group's health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// Of the target group.
    pub arn: String,
    pub interval: Duration,
    pub timeout: Duration,
    /// Passes in a row that make a target healthy.
    pub passes: u32,
}

/// How a target group lets targets in and out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TargetPace {
    /// The deregistration delay: how long a target that leaves is shown as draining, even an idle one.
    pub drain: Duration,
    /// How long a healthy target gets less than its share; zero when that is off.
    pub slow_start: Duration,
}

/// How a group judges its instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupPace {
    /// From in service on; before its end the load balancer's word costs no instance its life.
    pub grace: Duration,
    /// Whether the load balancer's word counts, and not EC2's alone.
    pub balancer_judges: bool,
}

/// A hook that holds an instance back while it boots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchHook {
    pub name: String,
    /// How long it waits without hearing from the instance.
    pub heartbeat: Duration,
}

impl Aws {
    /// The health check of the target group of this name, or `None` when there is none.
    pub async fn health_check(&self, name: &str) -> Result<Option<HealthCheck>, AwsError> {
        let Some(group) = self.described_target_group(name).await? else { return Ok(None) };
        let lacks = |what| incomplete("DescribeTargetGroups", name, what);
        Ok(Some(HealthCheck {
            arn: group.target_group_arn.ok_or_else(|| lacks("the ARN"))?,
            interval: seconds(group.health_check_interval_seconds).ok_or_else(|| lacks("the interval"))?,
            timeout: seconds(group.health_check_timeout_seconds).ok_or_else(|| lacks("the timeout"))?,
            passes: group
                .healthy_threshold_count
                .and_then(|n| u32::try_from(n).ok())
                .ok_or_else(|| lacks("the healthy threshold"))?,
        }))
    }

    pub async fn target_pace(&self, arn: &str) -> Result<TargetPace, AwsError> {
        let answer = self.elb.describe_target_group_attributes().target_group_arn(arn).send().await;
        let attributes = answer.map_err(failed("DescribeTargetGroupAttributes", arn))?.attributes;
        let attributes = attributes.unwrap_or_default();
        Ok(TargetPace {
            drain: attribute(&attributes, "deregistration_delay.timeout_seconds")
                .unwrap_or(DEFAULT_DEREGISTRATION_DELAY),
            slow_start: attribute(&attributes, "slow_start.duration_seconds").unwrap_or_default(),
        })
    }

    /// The group's own judgement, or `None` when there is no group of this name.
    pub async fn group_pace(&self, name: &str) -> Result<Option<GroupPace>, AwsError> {
        let group = self.describe_group(name).await?;
        Ok(group.map(|group| GroupPace {
            grace: seconds(group.health_check_grace_period).unwrap_or_default(),
            balancer_judges: group.health_check_type.is_some_and(|kind| kind.contains("ELB")),
        }))
    }

    /// The hooks that an instance of the group passes on its way in.
    pub async fn launch_hooks(&self, group: &str) -> Result<Vec<LaunchHook>, AwsError> {
        let describe = self.autoscaling.describe_lifecycle_hooks().auto_scaling_group_name(group);
        let hooks = describe.send().await.map_err(failed("DescribeLifecycleHooks", group))?.lifecycle_hooks;
        let hooks = hooks.unwrap_or_default().into_iter().filter(|hook| {
            hook.lifecycle_transition.as_deref() == Some("autoscaling:EC2_INSTANCE_LAUNCHING")
        });
        let known = hooks.filter_map(|hook| {
            let heartbeat = seconds(hook.heartbeat_timeout)?;
            Some(LaunchHook { name: hook.lifecycle_hook_name?, heartbeat })
        });
        Ok(known.collect())
    }
}

fn attribute(attributes: &[TargetGroupAttribute], key: &str) -> Option<Duration> {
    let found = attributes.iter().find(|a| a.key.as_deref() == Some(key))?;
    found.value.as_ref()?.parse().ok().map(Duration::from_secs)
}

/// A number of seconds; AWS says -1 where a setting was removed.
fn seconds(value: Option<i32>) -> Option<Duration> {
    u64::try_from(value?).ok().map(Duration::from_secs)
}
