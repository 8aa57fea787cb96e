//! Listeners: each forwards to one target group.

use winterbaume_elasticloadbalancingv2::wire as form;

use super::tags::tag_map;
use crate::model::targets::NewListener;
use crate::model::{ApiError, Listener};
use crate::wire::Request;
use crate::wire::answer::{Answer, malformed, port};
use crate::wire::params::Params;

/// Listeners a page at most.
const PAGE: usize = 400;

pub(super) fn create(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_create_listener_request(&request.params).map_err(malformed)?;
    let target_group_arn = forwards_to(&input.default_actions, &request.params)?.ok_or_else(|| {
        ApiError::validation("A listener must have a default action that forwards to a target group")
    })?;
    let new = NewListener {
        load_balancer_arn: input.load_balancer_arn,
        port: port(input.port)?,
        protocol: input.protocol.unwrap_or_default(),
        target_group_arn,
        tags: tag_map(input.tags),
    };
    let arn = request.model.create_listener(new)?;
    let listeners = Some([described(request.model.existing_listener(&arn)?)].into_iter().collect());
    Ok(form::serialize_create_listener_response(&form::CreateListenerOutput { listeners }))
}

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_listeners_request(&request.params).map_err(malformed)?;
    let model = &*request.model;
    let arns = input.listener_arns.map(|arns| arns.items).unwrap_or_default();
    if let Some(arn) = &input.load_balancer_arn {
        model.existing_load_balancer(arn)?;
    }
    for arn in &arns {
        model.existing_listener(arn)?;
    }
    let wanted = |it: &&Listener| {
        arns.contains(&it.arn)
            || input.load_balancer_arn.as_ref().is_some_and(|arn| *arn == it.load_balancer_arn)
    };
    let found: Vec<&Listener> = model.listeners().filter(wanted).collect();
    let page = request.page(found, |it| it.arn.clone(), input.marker.as_deref(), input.page_size, PAGE)?;
    let output = form::DescribeListenersOutput {
        listeners: Some(page.items.into_iter().map(described).collect()),
        next_marker: page.next,
    };
    Ok(form::serialize_describe_listeners_response(&output))
}

pub(super) fn modify(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_modify_listener_request(&request.params).map_err(malformed)?;
    let actions = input.default_actions.unwrap_or_default();
    let target_group_arn = forwards_to(&actions, &request.params)?;
    let port = input.port.map(|value| port(Some(value))).transpose()?;
    request.model.modify_listener(&input.listener_arn, port, target_group_arn)?;
    let listeners =
        Some([described(request.model.existing_listener(&input.listener_arn)?)].into_iter().collect());
    Ok(form::serialize_modify_listener_response(&form::ModifyListenerOutput { listeners }))
}

pub(super) fn delete(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_delete_listener_request(&request.params).map_err(malformed)?;
    request.model.delete_listener(&input.listener_arn)?;
    Ok(form::serialize_delete_listener_response(&form::DeleteListenerOutput::default()))
}

/// The target group of the one forward action; the generated code does not read the longer form, `ForwardConfig`.
fn forwards_to(actions: &form::Actions, params: &Params) -> Result<Option<String>, ApiError> {
    let Some(action) = actions.items.first() else { return Ok(None) };
    if action.r#type != "forward" || actions.items.len() > 1 {
        return Err(ApiError::validation(
            "adf-local plays listeners with exactly one default action, of type forward",
        ));
    }
    let config = "DefaultActions.member.1.ForwardConfig.TargetGroups.member";
    if params.contains_key(&format!("{config}.2.TargetGroupArn")) {
        return Err(ApiError::validation("adf-local plays listeners that forward to one target group"));
    }
    Ok(action.target_group_arn.clone().or_else(|| params.get(&format!("{config}.1.TargetGroupArn")).cloned()))
}

fn described(it: &Listener) -> form::Listener {
    let arn = Some(it.target_group_arn.clone());
    let tuple = form::TargetGroupTuple { target_group_arn: arn.clone(), weight: Some(1) };
    let forward = form::Action {
        r#type: "forward".to_owned(),
        target_group_arn: arn,
        order: Some(1),
        forward_config: Some(form::ForwardActionConfig {
            target_groups: Some([tuple].into_iter().collect()),
            target_group_stickiness_config: Some(form::TargetGroupStickinessConfig {
                enabled: Some(false),
                ..Default::default()
            }),
        }),
        ..Default::default()
    };
    form::Listener {
        listener_arn: Some(it.arn.clone()),
        load_balancer_arn: Some(it.load_balancer_arn.clone()),
        port: Some(i32::from(it.port)),
        protocol: Some(it.protocol.name().to_owned()),
        default_actions: Some([forward].into_iter().collect()),
        ..Default::default()
    }
}
