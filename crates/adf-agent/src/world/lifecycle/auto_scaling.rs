//! The instance's Auto Scaling group and its lifecycle hooks.
//!
//! The role needs `autoscaling:DescribeAutoScalingInstances`, `DescribeLifecycleHooks`,
//! `CompleteLifecycleAction` and `RecordLifecycleActionHeartbeat`; `SetInstanceHealth` where agent.toml sets
//! `replace_unhealthy_after`. Source:
//! <https://docs.aws.amazon.com/autoscaling/ec2/userguide/completing-lifecycle-hooks.html>

use std::time::Duration;

use adf_types::InstanceId;
use async_trait::async_trait;
use aws_sdk_autoscaling::Client;
use aws_sdk_autoscaling::error::{ProvideErrorMetadata, SdkError};

use super::{ActionResult, Completion, Lifecycle, LifecycleError, LifecycleHook, Membership, Transition};
use crate::failure::chain;

/// AWS's default where a hook does not say.
const DEFAULT_HEARTBEAT: i32 = 3600;

pub(in crate::world) struct AutoScaling(pub(in crate::world) Client);

#[async_trait]
impl Lifecycle for AutoScaling {
    async fn membership(&self, instance: &InstanceId) -> Result<Option<Membership>, LifecycleError> {
        let call = self.0.describe_auto_scaling_instances().instance_ids(instance.as_str());
        let found = call.send().await.map_err(|e| failed("autoscaling:DescribeAutoScalingInstances", &e))?;
        Ok(found.auto_scaling_instances().first().map(|i| Membership {
            group: i.auto_scaling_group_name().unwrap_or_default().to_owned(),
            state: i.lifecycle_state().unwrap_or_default().to_owned(),
        }))
    }

    async fn hooks(&self, group: &str, transition: Transition) -> Result<Vec<LifecycleHook>, LifecycleError> {
        let held = match transition {
            Transition::Launching => "autoscaling:EC2_INSTANCE_LAUNCHING",
            Transition::Terminating => "autoscaling:EC2_INSTANCE_TERMINATING",
        };
        let call = self.0.describe_lifecycle_hooks().auto_scaling_group_name(group);
        let found = call.send().await.map_err(|e| failed("autoscaling:DescribeLifecycleHooks", &e))?;
        let holding = found.lifecycle_hooks().iter().filter(|hook| hook.lifecycle_transition() == Some(held));
        let hook = |hook: &aws_sdk_autoscaling::types::LifecycleHook| {
            let seconds = hook.heartbeat_timeout().unwrap_or(DEFAULT_HEARTBEAT);
            Some(LifecycleHook {
                name: hook.lifecycle_hook_name()?.to_owned(),
                heartbeat: Duration::from_secs(u64::try_from(seconds).unwrap_or_default()),
            })
        };
        Ok(holding.filter_map(hook).collect())
    }

    async fn complete(
        &self,
        group: &str,
        hook: &str,
        instance: &InstanceId,
        result: ActionResult,
    ) -> Result<Completion, LifecycleError> {
        let result = match result {
            ActionResult::Continue => "CONTINUE",
            ActionResult::Abandon => "ABANDON",
        };
        let call = self
            .0
            .complete_lifecycle_action()
            .auto_scaling_group_name(group)
            .lifecycle_hook_name(hook)
            .instance_id(instance.as_str())
            .lifecycle_action_result(result);
        match call.send().await {
            Ok(_) => Ok(Completion::Completed),
            Err(error) if no_active_action(&error) => Ok(Completion::NoActiveAction),
            Err(error) => Err(failed("autoscaling:CompleteLifecycleAction", &error)),
        }
    }

    async fn heartbeat(&self, group: &str, hook: &str, instance: &InstanceId) -> Result<(), LifecycleError> {
        let call = self
            .0
            .record_lifecycle_action_heartbeat()
            .auto_scaling_group_name(group)
            .lifecycle_hook_name(hook)
            .instance_id(instance.as_str());
        call.send().await.map_err(|e| failed("autoscaling:RecordLifecycleActionHeartbeat", &e))?;
        Ok(())
    }

    async fn set_unhealthy(&self, instance: &InstanceId) -> Result<(), LifecycleError> {
        let call = self.0.set_instance_health().instance_id(instance.as_str()).health_status("Unhealthy");
        call.send().await.map_err(|e| failed("autoscaling:SetInstanceHealth", &e))?;
        Ok(())
    }
}

fn no_active_action<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    error.message().is_some_and(|m| m.contains("No active Lifecycle Action"))
}

/// Auto Scaling sends authorisation failures as `AccessDenied`; without a role nothing is sent at all. Anything
/// else may pass.
fn failed<E>(operation: &'static str, error: &SdkError<E>) -> LifecycleError
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let problem = match error.message() {
        Some(message) => message.to_owned(),
        None => chain(error),
    };
    let denied = matches!(
        error.code(),
        Some("AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "InvalidClientTokenId")
    );
    // The SDK has no code for an instance without a role; it only says so.
    let no_role = error.code().is_none() && problem.contains("credentials");
    if denied || no_role {
        LifecycleError::Denied { operation, problem }
    } else {
        LifecycleError::Failed { operation, problem }
    }
}
