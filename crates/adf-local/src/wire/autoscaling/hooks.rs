//! Lifecycle hooks and actions.

use winterbaume_autoscaling::wire as form;

use crate::model::ApiError;
use crate::model::groups::{ActionKey, HookRequest, HookResult, LifecycleHook};
use crate::wire::Request;
use crate::wire::answer::{Answer, int, malformed};
use crate::wire::params::need;

pub(super) fn put(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName", "LifecycleHookName"])?;
    let input = form::deserialize_put_lifecycle_hook_request(&request.params).map_err(malformed)?;
    let hook = HookRequest {
        name: input.lifecycle_hook_name,
        transition: input.lifecycle_transition,
        heartbeat: input.heartbeat_timeout,
        default_result: input.default_result,
        metadata: input.notification_metadata,
        role_arn: input.role_a_r_n,
        notification_target: input.notification_target_a_r_n,
    };
    request.model.put_lifecycle_hook(&input.auto_scaling_group_name, hook)?;
    Ok(form::serialize_put_lifecycle_hook_response(&form::PutLifecycleHookAnswer::default()))
}

pub(super) fn delete(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName", "LifecycleHookName"])?;
    let input = form::deserialize_delete_lifecycle_hook_request(&request.params).map_err(malformed)?;
    let (group, hook) = (input.auto_scaling_group_name, input.lifecycle_hook_name);
    request.model.delete_lifecycle_hook(&group, &hook, request.now)?;
    Ok(form::serialize_delete_lifecycle_hook_response(&form::DeleteLifecycleHookAnswer::default()))
}

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input = form::deserialize_describe_lifecycle_hooks_request(&request.params).map_err(malformed)?;
    let group = request.model.existing_group(&input.auto_scaling_group_name)?;
    let names = input.lifecycle_hook_names.map(|names| names.items).unwrap_or_default();
    let hooks = group.hooks.values().filter(|hook| names.is_empty() || names.contains(&hook.name));
    let lifecycle_hooks = Some(hooks.map(|hook| described(&group.name, hook)).collect());
    Ok(form::serialize_describe_lifecycle_hooks_response(&form::DescribeLifecycleHooksAnswer {
        lifecycle_hooks,
    }))
}

pub(super) fn complete(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName", "LifecycleHookName", "LifecycleActionResult"])?;
    let input = form::deserialize_complete_lifecycle_action_request(&request.params).map_err(malformed)?;
    let key = key(input.instance_id, input.lifecycle_action_token)?;
    let result = HookResult::parse(&input.lifecycle_action_result).ok_or_else(|| {
        ApiError::validation(format!(
            "Invalid LifecycleActionResult: {}. Valid values are CONTINUE and ABANDON",
            input.lifecycle_action_result
        ))
    })?;
    let (group, hook) = (input.auto_scaling_group_name, input.lifecycle_hook_name);
    request.model.complete_lifecycle_action(&group, &hook, &key, result, request.now)?;
    let output = form::CompleteLifecycleActionAnswer::default();
    Ok(form::serialize_complete_lifecycle_action_response(&output))
}

pub(super) fn heartbeat(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName", "LifecycleHookName"])?;
    let input =
        form::deserialize_record_lifecycle_action_heartbeat_request(&request.params).map_err(malformed)?;
    let key = key(input.instance_id, input.lifecycle_action_token)?;
    let (group, hook) = (input.auto_scaling_group_name, input.lifecycle_hook_name);
    request.model.record_lifecycle_heartbeat(&group, &hook, &key, request.now)?;
    let output = form::RecordLifecycleActionHeartbeatAnswer::default();
    Ok(form::serialize_record_lifecycle_action_heartbeat_response(&output))
}

/// The token says which action exactly, so it wins over the instance.
fn key(instance: Option<String>, token: Option<String>) -> Result<ActionKey, ApiError> {
    let key = token.map(ActionKey::Token).or(instance.map(ActionKey::Instance));
    key.ok_or_else(|| ApiError::validation("Either LifecycleActionToken or InstanceId must be specified."))
}

fn described(group: &str, hook: &LifecycleHook) -> form::LifecycleHook {
    form::LifecycleHook {
        auto_scaling_group_name: Some(group.to_owned()),
        lifecycle_hook_name: Some(hook.name.clone()),
        lifecycle_transition: Some(hook.transition.name().to_owned()),
        heartbeat_timeout: Some(int(hook.heartbeat.as_secs())),
        global_timeout: Some(int(hook.global_timeout().as_secs())),
        default_result: Some(hook.default_result.name().to_owned()),
        notification_metadata: hook.metadata.clone(),
        notification_target_a_r_n: hook.notification_target.clone(),
        role_a_r_n: hook.role_arn.clone(),
    }
}
