//! Target groups.

use winterbaume_elasticloadbalancingv2::wire as form;

use super::tags::tag_map;
use crate::model::targets::{HealthCheckRequest, NewTargetGroup};
use crate::model::{ApiError, HealthPort, Model, TargetGroup};
use crate::wire::Request;
use crate::wire::answer::{Answer, int, malformed, port};

/// Target groups a page at most.
const PAGE: usize = 400;

pub(super) fn create(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_create_target_group_request(&request.params).map_err(malformed)?;
    if input.target_type.as_deref().is_some_and(|kind| kind != "instance") {
        return Err(ApiError::validation("adf-local plays target groups of the type instance"));
    }
    let new = NewTargetGroup {
        name: input.name,
        protocol: input.protocol.unwrap_or_default(),
        port: port(input.port)?,
        vpc_id: input.vpc_id,
        health: HealthCheckRequest {
            enabled: input.health_check_enabled,
            protocol: input.health_check_protocol,
            port: input.health_check_port,
            path: input.health_check_path,
            matcher: input.matcher.and_then(|matcher| matcher.http_code),
            interval: input.health_check_interval_seconds,
            timeout: input.health_check_timeout_seconds,
            healthy_threshold: input.healthy_threshold_count,
            unhealthy_threshold: input.unhealthy_threshold_count,
        },
        tags: tag_map(input.tags),
    };
    let arn = request.model.create_target_group(new)?;
    let target_groups = Some([one(request.model, &arn)?].into_iter().collect());
    Ok(form::serialize_create_target_group_response(&form::CreateTargetGroupOutput { target_groups }))
}

pub(super) fn modify(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_modify_target_group_request(&request.params).map_err(malformed)?;
    let health = HealthCheckRequest {
        enabled: input.health_check_enabled,
        protocol: input.health_check_protocol,
        port: input.health_check_port,
        path: input.health_check_path,
        matcher: input.matcher.and_then(|matcher| matcher.http_code),
        interval: input.health_check_interval_seconds,
        timeout: input.health_check_timeout_seconds,
        healthy_threshold: input.healthy_threshold_count,
        unhealthy_threshold: input.unhealthy_threshold_count,
    };
    request.model.modify_target_group(&input.target_group_arn, health)?;
    let target_groups = Some([one(request.model, &input.target_group_arn)?].into_iter().collect());
    Ok(form::serialize_modify_target_group_response(&form::ModifyTargetGroupOutput { target_groups }))
}

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_target_groups_request(&request.params).map_err(malformed)?;
    let model = &*request.model;
    let arns = input.target_group_arns.map(|arns| arns.items).unwrap_or_default();
    let names = input.names.map(|names| names.items).unwrap_or_default();
    for arn in &arns {
        model.existing_target_group(arn)?;
    }
    if names.iter().any(|name| !model.target_groups().any(|it| it.name == *name)) {
        return Err(ApiError::new("TargetGroupNotFound", "One or more target groups not found"));
    }
    let of_balancer = |it: &TargetGroup| {
        input.load_balancer_arn.as_ref().is_none_or(|arn| balancers(model, it).contains(arn))
    };
    let wanted = |it: &&TargetGroup| {
        let all = arns.is_empty() && names.is_empty();
        (all || arns.contains(&it.arn) || names.contains(&it.name)) && of_balancer(it)
    };
    let found: Vec<&TargetGroup> = model.target_groups().filter(wanted).collect();
    let page = request.page(found, |it| it.arn.clone(), input.marker.as_deref(), input.page_size, PAGE)?;
    let output = form::DescribeTargetGroupsOutput {
        target_groups: Some(page.items.into_iter().map(|it| described(model, it)).collect()),
        next_marker: page.next,
    };
    Ok(form::serialize_describe_target_groups_response(&output))
}

pub(super) fn delete(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_delete_target_group_request(&request.params).map_err(malformed)?;
    request.model.delete_target_group(&input.target_group_arn)?;
    Ok(form::serialize_delete_target_group_response(&form::DeleteTargetGroupOutput::default()))
}

pub(super) fn modify_attributes(request: &mut Request<'_>) -> Answer {
    let input =
        form::deserialize_modify_target_group_attributes_request(&request.params).map_err(malformed)?;
    let pairs: Vec<(String, String)> = input
        .attributes
        .items
        .into_iter()
        .map(|attribute| (attribute.key.unwrap_or_default(), attribute.value.unwrap_or_default()))
        .collect();
    request.model.modify_target_group_attributes(&input.target_group_arn, &pairs)?;
    let attributes = Some(attributes(request.model.existing_target_group(&input.target_group_arn)?));
    let output = form::ModifyTargetGroupAttributesOutput { attributes };
    Ok(form::serialize_modify_target_group_attributes_response(&output))
}

pub(super) fn describe_attributes(request: &mut Request<'_>) -> Answer {
    let input =
        form::deserialize_describe_target_group_attributes_request(&request.params).map_err(malformed)?;
    let attributes = Some(attributes(request.model.existing_target_group(&input.target_group_arn)?));
    let output = form::DescribeTargetGroupAttributesOutput { attributes };
    Ok(form::serialize_describe_target_group_attributes_response(&output))
}

fn attributes(group: &TargetGroup) -> form::TargetGroupAttributes {
    let pairs = group.attributes().into_iter();
    pairs.map(|(key, value)| form::TargetGroupAttribute { key: Some(key), value: Some(value) }).collect()
}

fn one(model: &Model, arn: &str) -> Result<form::TargetGroup, ApiError> {
    Ok(described(model, model.existing_target_group(arn)?))
}

/// The load balancers whose listeners forward to the target group.
fn balancers(model: &Model, group: &TargetGroup) -> Vec<String> {
    let used_by = model.listeners().filter(|listener| listener.target_group_arn == group.arn);
    let mut arns: Vec<String> = used_by.map(|listener| listener.load_balancer_arn.clone()).collect();
    arns.dedup();
    arns
}

fn described(model: &Model, group: &TargetGroup) -> form::TargetGroup {
    let health = &group.health;
    form::TargetGroup {
        target_group_arn: Some(group.arn.clone()),
        target_group_name: Some(group.name.clone()),
        protocol: Some(group.protocol.name().to_owned()),
        protocol_version: Some("HTTP1".to_owned()),
        port: Some(i32::from(group.port)),
        vpc_id: Some(group.vpc_id.clone()),
        target_type: Some("instance".to_owned()),
        ip_address_type: Some("ipv4".to_owned()),
        load_balancer_arns: Some(balancers(model, group).into_iter().collect()),
        health_check_enabled: Some(health.enabled),
        health_check_protocol: Some(health.protocol.name().to_owned()),
        health_check_port: Some(match health.port {
            HealthPort::TrafficPort => "traffic-port".to_owned(),
            HealthPort::Fixed(port) => port.to_string(),
        }),
        health_check_path: Some(health.path.clone()),
        health_check_interval_seconds: Some(int(health.interval.as_secs())),
        health_check_timeout_seconds: Some(int(health.timeout.as_secs())),
        healthy_threshold_count: Some(int(health.healthy_threshold)),
        unhealthy_threshold_count: Some(int(health.unhealthy_threshold)),
        matcher: Some(form::Matcher { http_code: Some(health.matcher.as_str().to_owned()), grpc_code: None }),
        ..Default::default()
    }
}
