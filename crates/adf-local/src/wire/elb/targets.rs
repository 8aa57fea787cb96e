//! Targets and their health.

use winterbaume_elasticloadbalancingv2::wire as form;

use crate::model::{ApiError, HealthPort, Model, TargetGroup, TargetKey};
use crate::wire::Request;
use crate::wire::answer::{Answer, malformed, port};

pub(super) fn register(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_register_targets_request(&request.params).map_err(malformed)?;
    let group = request.model.existing_target_group(&input.target_group_arn)?;
    let keys = input.targets.items.iter().map(|target| key(group, target)).collect::<Result<Vec<_>, _>>()?;
    request.model.register_targets(&input.target_group_arn, &keys, request.now)?;
    Ok(form::serialize_register_targets_response(&form::RegisterTargetsOutput::default()))
}

pub(super) fn deregister(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_deregister_targets_request(&request.params).map_err(malformed)?;
    let targets: Vec<(String, Option<u16>)> = input
        .targets
        .items
        .into_iter()
        .map(|target| (target.id, target.port.and_then(|port| u16::try_from(port).ok())))
        .collect();
    request.model.deregister_targets(&input.target_group_arn, &targets, request.now)?;
    Ok(form::serialize_deregister_targets_response(&form::DeregisterTargetsOutput::default()))
}

pub(super) fn describe_health(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_target_health_request(&request.params).map_err(malformed)?;
    let group = request.model.existing_target_group(&input.target_group_arn)?;
    let keys: Vec<TargetKey> = match input.targets {
        Some(targets) => targets.items.iter().map(|target| key(group, target)).collect::<Result<_, _>>()?,
        None => group.targets.keys().cloned().collect(),
    };
    let described = keys.iter().map(|key| described(request.model, group, key)).collect::<Result<_, _>>()?;
    let output = form::DescribeTargetHealthOutput { target_health_descriptions: Some(described) };
    Ok(form::serialize_describe_target_health_response(&output))
}

/// A target without a port is on the target group's.
fn key(group: &TargetGroup, target: &form::TargetDescription) -> Result<TargetKey, ApiError> {
    let port = target.port.map_or(Ok(group.port), |value| port(Some(value)))?;
    Ok(TargetKey { id: target.id.clone(), port })
}

fn described(
    model: &Model,
    group: &TargetGroup,
    key: &TargetKey,
) -> Result<form::TargetHealthDescription, ApiError> {
    let health = model.target_health(&group.arn, key)?;
    let check_port = match group.health.port {
        HealthPort::TrafficPort => key.port,
        HealthPort::Fixed(port) => port,
    };
    Ok(form::TargetHealthDescription {
        target: Some(form::TargetDescription {
            id: key.id.clone(),
            port: Some(i32::from(key.port)),
            ..Default::default()
        }),
        health_check_port: Some(check_port.to_string()),
        target_health: Some(form::TargetHealth {
            state: Some(health.state.name().to_owned()),
            reason: health.reason.map(str::to_owned),
            description: health.description,
        }),
        ..Default::default()
    })
}
