//! Groups: the operations.

use std::collections::BTreeMap;
use std::time::Duration;

use winterbaume_autoscaling::wire as form;

use super::{described, launch};
use crate::model::groups::{GroupSpec, GroupTag, HookRequest, NewGroup};
use crate::model::{ApiError, Group};
use crate::wire::Request;
use crate::wire::answer::{Answer, count, malformed, present};
use crate::wire::params::need;

/// Groups a page, and at most (aws.md §1).
const PAGE: usize = 50;
const MOST: i32 = 100;

pub(super) fn create(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName", "MinSize", "MaxSize"])?;
    let input = form::deserialize_create_auto_scaling_group_request(&request.params).map_err(malformed)?;
    let (min, max) = (count(input.min_size, "minSize")?, count(input.max_size, "maxSize")?);
    let launch = launch::choice(&request.params, "")?;
    let desired = input.desired_capacity.map(|size| count(size, "desiredCapacity")).transpose()?;
    let spec = GroupSpec {
        min: Some(min),
        max: Some(max),
        // A new group without a desired capacity starts with its minimum.
        desired: Some(desired.unwrap_or(min)),
        template: launch.template,
        mixed: launch.mixed,
        subnet_ids: subnet_ids(input.v_p_c_zone_identifier),
        zones: input.availability_zones.map(|zones| zones.items),
        health_check_type: input.health_check_type,
        grace: seconds(input.health_check_grace_period, "healthCheckGracePeriod")?,
        cooldown: seconds(input.default_cooldown, "defaultCooldown")?,
        default_warmup: input.default_instance_warmup,
        new_instances_protected: input.new_instances_protected_from_scale_in,
        termination_policies: input.termination_policies.map(|policies| policies.items),
    };
    let tags = input.tags.map(|tags| tags.items).unwrap_or_default();
    let hooks = input.lifecycle_hook_specification_list.map(|hooks| hooks.items).unwrap_or_default();
    let sources = input.traffic_sources.map(|sources| sources.items).unwrap_or_default();
    let arns = input.target_group_a_r_ns.map(|arns| arns.items).unwrap_or_default();
    let new = NewGroup {
        name: input.auto_scaling_group_name,
        spec,
        target_group_arns: arns
            .into_iter()
            .chain(sources.into_iter().map(|source| source.identifier))
            .collect(),
        tags: tags.into_iter().map(tag).collect::<BTreeMap<_, _>>(),
        hooks: hooks.into_iter().map(hook).collect(),
    };
    request.model.create_group(new, request.now)?;
    Ok(form::serialize_create_auto_scaling_group_response())
}

pub(super) fn update(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input = form::deserialize_update_auto_scaling_group_request(&request.params).map_err(malformed)?;
    let launch = launch::choice(&request.params, "")?;
    let size = |size: Option<i32>, name: &str| size.map(|size| count(size, name)).transpose();
    let spec = GroupSpec {
        min: size(input.min_size, "minSize")?,
        max: size(input.max_size, "maxSize")?,
        desired: size(input.desired_capacity, "desiredCapacity")?,
        template: launch.template,
        mixed: launch.mixed,
        subnet_ids: subnet_ids(input.v_p_c_zone_identifier),
        zones: input.availability_zones.map(|zones| zones.items),
        health_check_type: input.health_check_type,
        grace: seconds(input.health_check_grace_period, "healthCheckGracePeriod")?,
        cooldown: seconds(input.default_cooldown, "defaultCooldown")?,
        default_warmup: input.default_instance_warmup,
        new_instances_protected: input.new_instances_protected_from_scale_in,
        termination_policies: input.termination_policies.map(|policies| policies.items),
    };
    request.model.update_group(&input.auto_scaling_group_name, &spec, request.now)?;
    Ok(form::serialize_update_auto_scaling_group_response())
}

pub(super) fn delete(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input = form::deserialize_delete_auto_scaling_group_request(&request.params).map_err(malformed)?;
    let force = input.force_delete == Some(true);
    request.model.delete_group(&input.auto_scaling_group_name, force, request.now)?;
    Ok(form::serialize_delete_auto_scaling_group_response())
}

/// Unknown names are left out, as AWS does.
pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_auto_scaling_groups_request(&request.params).map_err(malformed)?;
    let model = &*request.model;
    let names = input.auto_scaling_group_names.map(|names| names.items).unwrap_or_default();
    let mut found: Vec<&Group> =
        model.groups().filter(|group| names.is_empty() || names.contains(&group.name)).collect();
    for filter in input.filters.map(|filters| filters.items).unwrap_or_default() {
        let values = filter.values.map(|values| values.items).unwrap_or_default();
        let name = filter.name.unwrap_or_default();
        found.retain(|group| tag_passes(group, &name, &values));
    }
    let size = input.max_records.map(|size| size.min(MOST));
    let most = if size.is_some() { MOST.unsigned_abs() as usize } else { PAGE };
    let page = request.page(found, |it| it.name.clone(), input.next_token.as_deref(), size, most)?;
    let output = form::AutoScalingGroupsType {
        auto_scaling_groups: Some(
            page.items.into_iter().map(|group| described::group(model, group)).collect(),
        ),
        next_token: page.next,
    };
    Ok(form::serialize_describe_auto_scaling_groups_response(&output))
}

pub(super) fn set_desired_capacity(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName", "DesiredCapacity"])?;
    let input = form::deserialize_set_desired_capacity_request(&request.params).map_err(malformed)?;
    let desired = count(input.desired_capacity, "desiredCapacity")?;
    let honor = input.honor_cooldown == Some(true);
    request.model.set_desired_capacity(&input.auto_scaling_group_name, desired, honor, request.now)?;
    Ok(form::serialize_set_desired_capacity_response())
}

pub(super) fn suspend(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_suspend_processes_request(&request.params).map_err(malformed)?;
    let names = input.scaling_processes.map(|names| names.items).unwrap_or_default();
    request.model.suspend_processes(&input.auto_scaling_group_name, &names)?;
    Ok(form::serialize_suspend_processes_response())
}

pub(super) fn resume(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_resume_processes_request(&request.params).map_err(malformed)?;
    let names = input.scaling_processes.map(|names| names.items).unwrap_or_default();
    request.model.resume_processes(&input.auto_scaling_group_name, &names, request.now)?;
    Ok(form::serialize_resume_processes_response())
}

/// `subnet-a, subnet-b`; empty is absent.
fn subnet_ids(identifier: Option<String>) -> Option<Vec<String>> {
    let identifier = identifier.and_then(present)?;
    Some(identifier.split(',').map(|id| id.trim().to_owned()).collect())
}

fn seconds(value: Option<i32>, name: &str) -> Result<Option<Duration>, ApiError> {
    value.map(|value| Ok(Duration::from_secs(count(value, name)?.into()))).transpose()
}

fn tag(tag: form::Tag) -> (String, GroupTag) {
    let propagate = tag.propagate_at_launch.unwrap_or(true);
    (tag.key, GroupTag { value: tag.value.unwrap_or_default(), propagate })
}

fn hook(hook: form::LifecycleHookSpecification) -> HookRequest {
    HookRequest {
        name: hook.lifecycle_hook_name,
        transition: Some(hook.lifecycle_transition),
        heartbeat: hook.heartbeat_timeout,
        default_result: hook.default_result,
        metadata: hook.notification_metadata,
        role_arn: hook.role_a_r_n,
        notification_target: hook.notification_target_a_r_n,
    }
}

fn tag_passes(group: &Group, name: &str, values: &[String]) -> bool {
    match name {
        "tag-key" => values.iter().any(|value| group.tags.contains_key(value)),
        "tag-value" => group.tags.values().any(|tag| values.contains(&tag.value)),
        _ => {
            let held = name.strip_prefix("tag:").and_then(|key| group.tags.get(key));
            held.is_some_and(|tag| values.contains(&tag.value))
        }
    }
}
