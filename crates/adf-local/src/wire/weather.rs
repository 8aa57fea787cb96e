//! What the weather does to a call before its service sees it.

use jiff::Timestamp;

use super::Service;
use super::params::{Params, list};
use crate::model::templates::TemplateKey;
use crate::model::weather::ApiFamily;
use crate::model::{ApiError, Model};

/// Refuses a call when there were too many.
pub(super) fn admit(
    model: &mut Model,
    service: Service,
    action: &str,
    params: &Params,
    now: Timestamp,
) -> Result<(), ApiError> {
    let family = match service {
        Service::Ec2 => ApiFamily::Ec2,
        Service::AutoScaling => ApiFamily::AutoScaling,
        Service::Elb => ApiFamily::Elb,
    };
    let units = match params.get("MaxCount").and_then(|count| count.parse().ok()) {
        Some(count) => count,
        None => list(params, "InstanceId").len() as u64,
    };
    // Action and Version are all there is.
    let plain = params.len() <= 2;
    model.admit(family, action, units, plain, now)
}

/// Refuses a change that names what was made so lately that AWS may not know it yet.
pub(super) fn check_known(
    model: &mut Model,
    service: Service,
    params: &Params,
    now: Timestamp,
) -> Result<(), ApiError> {
    if !model.weather().changes_lag {
        return Ok(());
    }
    let Some(past) = model.seen(now) else { return Ok(()) };
    if service == Service::Ec2 {
        let named = list(params, "InstanceId").into_iter().chain(list(params, "ResourceId"));
        for id in named.filter(|id| id.starts_with("i-") && model.instance(id).is_some()) {
            past.existing_instance(&id)?;
        }
    }
    for prefix in ["LaunchTemplate", "DesiredConfiguration.LaunchTemplate"] {
        check_template(&past, params, prefix).map_err(|error| match service {
            Service::AutoScaling => ApiError::validation(format!(
                "You must use a valid fully-formed launch template. {}",
                error.message
            )),
            _ => error,
        })?;
    }
    Ok(())
}

fn check_template(past: &Model, params: &Params, prefix: &str) -> Result<(), ApiError> {
    let named = |name: &str| params.get(&format!("{prefix}.{name}"));
    let id = named("LaunchTemplateId").cloned().map(TemplateKey::Id);
    match id.or_else(|| named("LaunchTemplateName").cloned().map(TemplateKey::Name)) {
        Some(key) => past.template_version(&key, named("Version").map(String::as_str)).map(|_| ()),
        None => Ok(()),
    }
}
