//! Target groups: who is registered, and what the load balancer thinks of them.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_types::InstanceId;
use aws_sdk_elasticloadbalancingv2::types::{
    TargetDescription, TargetGroup, TargetHealthDescription, TargetHealthStateEnum,
};

use super::error::{failed, incomplete};
use super::{Aws, AwsError};

/// AWS's default where the attribute is not set, see "Deregistration delay" in the guide.
pub(super) const DEFAULT_DEREGISTRATION_DELAY: Duration = Duration::from_mins(5);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroupState {
    pub arn: String,
    pub name: String,
    pub port: Option<u16>,
    /// The load balancer that uses it; a target group has one at most.
    pub balancer_arn: Option<String>,
}

/// A target's health, with the load balancer's reason where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetState {
    /// Registered, first check not done.
    Initial,
    Healthy,
    Unhealthy {
        reason: String,
    },
    /// Deregistered, and finishing its requests.
    Draining,
    /// Not checked: no listener, health checks off, or the instance is gone.
    Unused {
        reason: String,
    },
}

impl Aws {
    /// The target group of this name.
    pub async fn target_group(&self, name: &str) -> Result<Option<TargetGroupState>, AwsError> {
        let Some(group) = self.described_target_group(name).await? else { return Ok(None) };
        let arn =
            group.target_group_arn.ok_or_else(|| incomplete("DescribeTargetGroups", name, "the ARN"))?;
        let port = group.port.and_then(|p| u16::try_from(p).ok());
        let balancer_arn = group.load_balancer_arns.unwrap_or_default().into_iter().next();
        Ok(Some(TargetGroupState { arn, name: name.to_owned(), port, balancer_arn }))
    }

    /// The target group as AWS describes it.
    pub(super) async fn described_target_group(&self, name: &str) -> Result<Option<TargetGroup>, AwsError> {
        let answer = self.elb.describe_target_groups().names(name).send().await;
        match answer.map_err(failed("DescribeTargetGroups", name)) {
            Ok(answer) => Ok(answer.target_groups.unwrap_or_default().into_iter().next()),
            Err(AwsError::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every registered target's state. One call: the answer is not paged.
    pub async fn target_health(&self, arn: &str) -> Result<BTreeMap<InstanceId, TargetState>, AwsError> {
        let answer = self.elb.describe_target_health().target_group_arn(arn).send().await;
        let targets = answer.map_err(failed("DescribeTargetHealth", arn))?.target_health_descriptions;
        Ok(targets.unwrap_or_default().into_iter().filter_map(target_state).collect())
    }

    pub async fn register_target(&self, arn: &str, id: &InstanceId) -> Result<(), AwsError> {
        let register = self.elb.register_targets().target_group_arn(arn).targets(target(id));
        register.send().await.map_err(failed("RegisterTargets", format!("{id} with {arn}")))?;
        Ok(())
    }

    /// Succeeds for a target that is not registered.
    pub async fn deregister_target(&self, arn: &str, id: &InstanceId) -> Result<(), AwsError> {
        let deregister = self.elb.deregister_targets().target_group_arn(arn).targets(target(id));
        deregister.send().await.map_err(failed("DeregisterTargets", format!("{id} from {arn}")))?;
        Ok(())
    }
}

fn target(id: &InstanceId) -> TargetDescription {
    TargetDescription::builder().id(id.as_str()).build()
}

fn target_state(described: TargetHealthDescription) -> Option<(InstanceId, TargetState)> {
    let id = described.target?.id?.parse().ok()?;
    let health = described.target_health?;
    let reason = || {
        let code = health.reason.as_ref().map_or("no reason given", |r| r.as_str());
        health.description.as_ref().map_or_else(|| code.to_owned(), |d| format!("{code}: {d}"))
    };
    let state = match health.state.as_ref()? {
        TargetHealthStateEnum::Initial => TargetState::Initial,
        TargetHealthStateEnum::Healthy => TargetState::Healthy,
        TargetHealthStateEnum::Unhealthy => TargetState::Unhealthy { reason: reason() },
        TargetHealthStateEnum::Draining => TargetState::Draining,
        _ => TargetState::Unused { reason: reason() },
    };
    Some((id, state))
}
