//! Changing a group's settings.

use jiff::Timestamp;

use super::{Group, GroupSpec};
use crate::model::templates::{TemplateKey, TemplateRef};
use crate::model::{ApiError, Model};

impl Model {
    /// Applies what is present. A new template is for later launches only.
    pub fn update_group(&mut self, name: &str, spec: &GroupSpec, now: Timestamp) -> Result<(), ApiError> {
        let mut group = self.existing_group(name)?.clone();
        let desired = group.active_refresh().is_some_and(|refresh| refresh.desired.is_some());
        if desired && spec.template.is_some() {
            return Err(ApiError::validation(
                "An active instance refresh with a desired configuration exists. All configuration options derived from the desired configuration are not available for update while the instance refresh is active.",
            ));
        }
        self.apply_spec(&mut group, spec)?;
        self.groups.insert(name.to_owned(), group);
        self.reconcile_soon(name, now);
        Ok(())
    }

    /// Changes `group` by `spec`, or refuses and leaves it to be dropped.
    pub(super) fn apply_spec(&self, group: &mut Group, spec: &GroupSpec) -> Result<(), ApiError> {
        apply_sizes(group, spec)?;
        if let Some((key, version)) = &spec.template {
            group.template = Some(self.group_template(key, version.as_deref())?);
            group.mixed.clone_from(&spec.mixed);
        }
        if let Some(subnets) = self.named_subnets(spec)? {
            group.subnet_ids = subnets;
        }
        if let Some(kind) = &spec.health_check_type {
            group.elb_health = elb_health(kind)?;
        }
        group.grace = spec.grace.unwrap_or(group.grace);
        group.cooldown = spec.cooldown.unwrap_or(group.cooldown);
        group.default_warmup = spec.default_warmup.or(group.default_warmup);
        group.new_instances_protected = spec.new_instances_protected.unwrap_or(group.new_instances_protected);
        if let Some(policies) = &spec.termination_policies {
            group.termination_policies.clone_from(policies);
        }
        Ok(())
    }

    /// A template that Auto Scaling accepts.
    pub(super) fn group_template(
        &self,
        key: &TemplateKey,
        version: Option<&str>,
    ) -> Result<TemplateRef, ApiError> {
        const REFUSAL: &str = "You must use a valid fully-formed launch template. ";
        self.template_ref(key, version).map_err(|error| {
            ApiError::validation(format!("{REFUSAL}{}", error.message.trim_start_matches(REFUSAL)))
        })
    }

    /// The subnets a spec names, directly or by their zones.
    fn named_subnets(&self, spec: &GroupSpec) -> Result<Option<Vec<String>>, ApiError> {
        if let Some(ids) = &spec.subnet_ids {
            let unknown = ids.iter().find(|id| self.network.subnet(id).is_none());
            return match unknown {
                None => Ok(Some(ids.clone())),
                Some(id) => Err(ApiError::validation(format!("The subnet ID '{id}' does not exist"))),
            };
        }
        let Some(zones) = &spec.zones else { return Ok(None) };
        let subnet = |zone: &String| {
            self.network
                .subnet_of_zone(zone)
                .map(|subnet| subnet.id.clone())
                .ok_or_else(|| ApiError::validation(format!("Invalid availability zone: [{zone}]")))
        };
        zones.iter().map(subnet).collect::<Result<Vec<_>, _>>().map(Some)
    }
}

/// Sizes follow each other where only one is given: a higher min raises desired, a lower max lowers it.
fn apply_sizes(group: &mut Group, spec: &GroupSpec) -> Result<(), ApiError> {
    let min = spec.min.unwrap_or(group.min);
    let max = spec.max.unwrap_or(group.max);
    if min > max {
        return Err(ApiError::validation(format!(
            "Max bound, {max}, must be greater than or equal to min bound, {min}"
        )));
    }
    let desired = spec.desired.unwrap_or_else(|| group.desired.clamp(min, max));
    if !(min..=max).contains(&desired) {
        return Err(ApiError::validation(format!(
            "Desired capacity:{desired} must be between the specified min size:{min} and max size:{max}"
        )));
    }
    (group.min, group.max, group.desired) = (min, max, desired);
    Ok(())
}

/// `EC2` is always on; a list such as `EC2,ELB` is accepted as AWS does.
fn elb_health(kind: &str) -> Result<bool, ApiError> {
    let mut kinds = kind.split(',').map(str::trim);
    if kinds.clone().all(|kind| matches!(kind, "EC2" | "ELB" | "EBS" | "VPC_LATTICE")) {
        return Ok(kinds.any(|kind| kind == "ELB"));
    }
    Err(ApiError::validation(format!(
        "Invalid HealthCheckType: {kind}. Valid values are EC2, ELB, EBS, VPC_LATTICE"
    )))
}
