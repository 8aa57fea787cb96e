//! `RegisterTargets`.

use jiff::Timestamp;

use super::{Target, TargetKey, TargetState};
use crate::model::{ApiError, InstanceState, Model, TargetGroup};

impl Model {
    /// The target group, or Elastic Load Balancing's refusal.
    pub fn existing_target_group(&self, arn: &str) -> Result<&TargetGroup, ApiError> {
        self.target_groups.get(arn).ok_or_else(no_such_target_group)
    }

    pub(super) fn target_group_mut(&mut self, arn: &str) -> Result<&mut TargetGroup, ApiError> {
        self.target_groups.get_mut(arn).ok_or_else(no_such_target_group)
    }

    /// Registers running instances, all or none. One that is registered stays as it is; one that drains starts anew (undocumented).
    pub fn register_targets(
        &mut self,
        arn: &str,
        keys: &[TargetKey],
        now: Timestamp,
    ) -> Result<(), ApiError> {
        self.existing_target_group(arn)?;
        let runs = |key: &&TargetKey| {
            self.instances.get(&key.id).is_some_and(|instance| instance.state == InstanceState::Running)
        };
        let refused: Vec<String> =
            keys.iter().filter(|key| !runs(key)).map(|key| format!("'{}'", key.id)).collect();
        if !refused.is_empty() {
            return Err(ApiError::new(
                "InvalidTarget",
                format!(
                    "The following targets are not in a running state and cannot be registered: {}",
                    refused.join(", ")
                ),
            ));
        }
        let group = self.target_group_mut(arn)?;
        for key in keys {
            let held = group.targets.get(key).is_some_and(|target| target.state != TargetState::Draining);
            if !held {
                group.targets.insert(key.clone(), Target::new(now));
            }
        }
        Ok(())
    }
}

impl Target {
    fn new(now: Timestamp) -> Self {
        Self {
            state: TargetState::Initial,
            failure: None,
            passes: 0,
            failures: 0,
            registered_at: now,
            draining_until: None,
        }
    }
}

fn no_such_target_group() -> ApiError {
    ApiError::new("TargetGroupNotFound", "One or more target groups not found")
}
