//! Making, changing and removing target groups.

use std::collections::BTreeMap;
use std::time::Duration;

use super::check_request::{HealthCheckRequest, protocol};
use super::{HealthCheckSettings, TargetGroup};
use crate::model::{ApiError, Model};

/// AWS's default deregistration delay.
const DEREGISTRATION_DELAY: Duration = Duration::from_mins(5);
/// The attribute that sets it.
pub(in crate::model) const DELAY_ATTRIBUTE: &str = "deregistration_delay.timeout_seconds";

/// Parameters of `CreateTargetGroup`.
#[derive(Clone, Debug, Default)]
pub struct NewTargetGroup {
    pub name: String,
    pub protocol: String,
    pub port: u16,
    pub vpc_id: Option<String>,
    pub health: HealthCheckRequest,
    pub tags: BTreeMap<String, String>,
}

impl Model {
    /// Makes a target group and returns its ARN.
    pub fn create_target_group(&mut self, new: NewTargetGroup) -> Result<String, ApiError> {
        check_name(&new.name, "target group")?;
        if self.target_groups.values().any(|group| group.name == new.name) {
            return Err(ApiError::new(
                "DuplicateTargetGroupName",
                format!(
                    "A target group with the same name '{}' exists, but with different settings",
                    new.name
                ),
            ));
        }
        let protocol = protocol(&new.protocol)?;
        let vpc_id = new.vpc_id.ok_or_else(|| ApiError::validation("A VPC ID is required"))?;
        if vpc_id != self.network.vpc_id {
            return Err(ApiError::validation(format!("The VPC ID '{vpc_id}' is not found")));
        }
        let health = new.health.over(&HealthCheckSettings::default_for(protocol))?;
        let tail = self.ids.arn_tail();
        let arn = self.arn("elasticloadbalancing", &format!("targetgroup/{}/{tail}", new.name));
        let group = TargetGroup {
            arn: arn.clone(),
            name: new.name,
            protocol,
            port: new.port,
            vpc_id,
            health,
            deregistration_delay: DEREGISTRATION_DELAY,
            attributes: BTreeMap::new(),
            tags: new.tags,
            targets: BTreeMap::new(),
        };
        self.target_groups.insert(arn.clone(), group);
        Ok(arn)
    }

    /// Changes how a target group checks health.
    pub fn modify_target_group(&mut self, arn: &str, health: HealthCheckRequest) -> Result<(), ApiError> {
        let group = self.target_group_mut(arn)?;
        group.health = health.over(&group.health)?;
        Ok(())
    }

    /// Sets attributes, all or none.
    pub fn modify_target_group_attributes(
        &mut self,
        arn: &str,
        attributes: &[(String, String)],
    ) -> Result<(), ApiError> {
        let group = self.target_group_mut(arn)?;
        let mut delay = group.deregistration_delay;
        for (key, value) in attributes.iter().filter(|(key, _)| key == DELAY_ATTRIBUTE) {
            let seconds = value.parse().ok().filter(|seconds| *seconds <= 3600).ok_or_else(|| {
                ApiError::validation(format!("'{key}' must be between 0 and 3600, but is '{value}'"))
            })?;
            delay = Duration::from_secs(seconds);
        }
        group.deregistration_delay = delay;
        let others = attributes.iter().filter(|(key, _)| key != DELAY_ATTRIBUTE);
        group.attributes.extend(others.cloned());
        Ok(())
    }

    /// Removes a target group that no listener uses.
    pub fn delete_target_group(&mut self, arn: &str) -> Result<(), ApiError> {
        if self.is_used(arn) {
            return Err(ApiError::new(
                "ResourceInUse",
                format!("Target group '{arn}' is currently in use by a listener or a rule"),
            ));
        }
        self.target_groups.remove(arn);
        Ok(())
    }
}

/// 1 to 32 letters, digits and hyphens, none at either end.
pub(super) fn check_name(name: &str, what: &str) -> Result<(), ApiError> {
    let allowed = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if (1..=32).contains(&name.len()) && allowed && !name.starts_with('-') && !name.ends_with('-') {
        return Ok(());
    }
    Err(ApiError::validation(format!(
        "The {what} name '{name}' must be 1 to 32 letters, digits and hyphens, and not begin or end with a hyphen"
    )))
}
