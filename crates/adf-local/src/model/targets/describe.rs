//! `DescribeTargetHealth`: the state of a target and the reason, in AWS's words.

use super::{ProbeFailure, Target, TargetGroup, TargetHealth, TargetKey, TargetState};
use crate::model::{ApiError, InstanceState, Model};

impl Model {
    /// The health of one target; of one that is not registered, `unused` with `Target.NotRegistered`.
    pub fn target_health(&self, arn: &str, key: &TargetKey) -> Result<TargetHealth, ApiError> {
        let group = self.existing_target_group(arn)?;
        let Some(target) = group.targets.get(key) else {
            return Ok(health(
                TargetState::Unused,
                "Target.NotRegistered",
                "Target is not registered to the target group",
            ));
        };
        Ok(self.unused(group, key, target).unwrap_or_else(|| described(group, target)))
    }

    /// Why the load balancer does not use a target, if it does not.
    fn unused(&self, group: &TargetGroup, key: &TargetKey, target: &Target) -> Option<TargetHealth> {
        if target.state == TargetState::Draining {
            return None;
        }
        if !self.is_used(&group.arn) {
            let text = "Target group is not configured to receive traffic from the load balancer";
            return Some(health(TargetState::Unused, "Target.NotInUse", text));
        }
        let stopped = self.instances.get(&key.id).is_none_or(|instance| {
            matches!(instance.state, InstanceState::Stopped | InstanceState::Terminated)
        });
        let text = "Target is in the stopped or terminated state";
        stopped.then(|| health(TargetState::Unused, "Target.InvalidState", text))
    }

    /// A listener forwards to the target group.
    pub(in crate::model) fn is_used(&self, arn: &str) -> bool {
        self.listeners.values().any(|listener| listener.target_group_arn == arn)
    }
}

fn described(group: &TargetGroup, target: &Target) -> TargetHealth {
    if !group.health.enabled && target.state != TargetState::Draining {
        return health(
            TargetState::Unavailable,
            "Target.HealthCheckDisabled",
            "Health checks are disabled for this target group",
        );
    }
    match target.state {
        TargetState::Initial if target.passes + target.failures == 0 => {
            health(target.state, "Elb.RegistrationInProgress", "Target registration is in progress")
        }
        TargetState::Initial => {
            health(target.state, "Elb.InitialHealthChecking", "Initial health checks in progress")
        }
        TargetState::Draining => {
            health(target.state, "Target.DeregistrationInProgress", "Target deregistration is in progress")
        }
        TargetState::Unhealthy => unhealthy(target.failure.as_ref()),
        state => TargetHealth { state, reason: None, description: None },
    }
}

fn unhealthy(failure: Option<&ProbeFailure>) -> TargetHealth {
    match failure {
        Some(ProbeFailure::ResponseCode(code)) => health(
            TargetState::Unhealthy,
            "Target.ResponseCodeMismatch",
            &format!("Health checks failed with these codes: [{code}]"),
        ),
        Some(ProbeFailure::Timeout) => health(TargetState::Unhealthy, "Target.Timeout", "Request timed out"),
        Some(ProbeFailure::Failed(_)) | None => {
            health(TargetState::Unhealthy, "Target.FailedHealthChecks", "Health checks failed")
        }
    }
}

fn health(state: TargetState, reason: &'static str, description: &str) -> TargetHealth {
    TargetHealth { state, reason: Some(reason), description: Some(description.to_owned()) }
}
