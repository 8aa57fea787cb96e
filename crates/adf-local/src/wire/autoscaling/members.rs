//! Members: the operations.

use winterbaume_autoscaling::wire as form;

use super::described;
use crate::model::ApiError;
use crate::model::Instance;
use crate::model::groups::Membership;
use crate::wire::Request;
use crate::wire::answer::{Answer, malformed};
use crate::wire::params::need;

/// Members a page at most.
const PAGE: usize = 50;

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    let input =
        form::deserialize_describe_auto_scaling_instances_request(&request.params).map_err(malformed)?;
    let ids = input.instance_ids.map(|ids| ids.items).unwrap_or_default();
    let model = &*request.model;
    let members = model.instances().filter_map(|instance| Some((instance, instance.membership()?)));
    let found: Vec<(&Instance, &Membership)> =
        members.filter(|(instance, _)| ids.is_empty() || ids.contains(&instance.id)).collect();
    let page =
        request.page(found, |(it, _)| it.id.clone(), input.next_token.as_deref(), input.max_records, PAGE)?;
    let details =
        page.items.into_iter().map(|(instance, member)| described::member_details(instance, member));
    let output = form::AutoScalingInstancesType {
        auto_scaling_instances: Some(details.collect()),
        next_token: page.next,
    };
    Ok(form::serialize_describe_auto_scaling_instances_response(&output))
}

pub(super) fn enter_standby(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName", "ShouldDecrementDesiredCapacity"])?;
    let input = form::deserialize_enter_standby_request(&request.params).map_err(malformed)?;
    let (group, decrement) = (input.auto_scaling_group_name, input.should_decrement_desired_capacity);
    let started = request.model.enter_standby(&group, &ids(input.instance_ids), decrement, request.now)?;
    let activities = Some(described::activities(request.model, &started));
    Ok(form::serialize_enter_standby_response(&form::EnterStandbyAnswer { activities }))
}

pub(super) fn exit_standby(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input = form::deserialize_exit_standby_request(&request.params).map_err(malformed)?;
    let group = input.auto_scaling_group_name;
    let started = request.model.exit_standby(&group, &ids(input.instance_ids), request.now)?;
    let activities = Some(described::activities(request.model, &started));
    Ok(form::serialize_exit_standby_response(&form::ExitStandbyAnswer { activities }))
}

pub(super) fn terminate(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["InstanceId", "ShouldDecrementDesiredCapacity"])?;
    let input = form::deserialize_terminate_instance_in_auto_scaling_group_request(&request.params)
        .map_err(malformed)?;
    let decrement = input.should_decrement_desired_capacity;
    let started = request.model.terminate_in_group(&input.instance_id, decrement, request.now)?;
    let activity = Some(described::activity(request.model, &started));
    Ok(form::serialize_terminate_instance_in_auto_scaling_group_response(&form::ActivityType { activity }))
}

pub(super) fn set_protection(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName", "ProtectedFromScaleIn"])?;
    let input = form::deserialize_set_instance_protection_request(&request.params).map_err(malformed)?;
    request.model.set_instance_protection(
        &input.auto_scaling_group_name,
        &input.instance_ids.items,
        input.protected_from_scale_in,
        request.now,
    )?;
    Ok(form::serialize_set_instance_protection_response(&form::SetInstanceProtectionAnswer::default()))
}

pub(super) fn set_health(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["InstanceId", "HealthStatus"])?;
    let input = form::deserialize_set_instance_health_request(&request.params).map_err(malformed)?;
    let healthy = match input.health_status.as_str() {
        "Healthy" => true,
        "Unhealthy" => false,
        other => {
            return Err(ApiError::validation(format!(
                "Invalid health status '{other}'. Valid values are Healthy and Unhealthy"
            )));
        }
    };
    let respect = input.should_respect_grace_period.unwrap_or(true);
    request.model.set_instance_health(&input.instance_id, healthy, respect, request.now)?;
    Ok(form::serialize_set_instance_health_response())
}

pub(super) fn attach(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input = form::deserialize_attach_instances_request(&request.params).map_err(malformed)?;
    request.model.attach_instances(&input.auto_scaling_group_name, &ids(input.instance_ids), request.now)?;
    Ok(form::serialize_attach_instances_response())
}

pub(super) fn detach(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName", "ShouldDecrementDesiredCapacity"])?;
    let input = form::deserialize_detach_instances_request(&request.params).map_err(malformed)?;
    let (group, decrement) = (input.auto_scaling_group_name, input.should_decrement_desired_capacity);
    let started = request.model.detach_instances(&group, &ids(input.instance_ids), decrement, request.now)?;
    let activities = Some(described::activities(request.model, &started));
    Ok(form::serialize_detach_instances_response(&form::DetachInstancesAnswer { activities }))
}

fn ids(ids: Option<form::InstanceIds>) -> Vec<String> {
    ids.map(|ids| ids.items).unwrap_or_default()
}
