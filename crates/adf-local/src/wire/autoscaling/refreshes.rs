//! Instance refreshes.

use std::time::Duration;

use winterbaume_autoscaling::wire as form;

use super::launch;
use crate::model::groups::{
    InstanceRefresh, LaunchConfiguration, RefreshPreferences, RefreshRequest, Rollback, Strays,
};
use crate::model::{ApiError, Group};
use crate::wire::Request;
use crate::wire::answer::{Answer, count, int, malformed, stamp};
use crate::wire::params::{Params, list, need};

/// Refreshes a page at most.
const PAGE: usize = 100;
/// AWS's words for what is done with protected members and with those in Standby, each with its meaning.
const PROTECTED: [(&str, Strays); 3] =
    [("Wait", Strays::Wait), ("Ignore", Strays::Ignore), ("Refresh", Strays::Replace)];
const STANDBY: [(&str, Strays); 3] =
    [("Wait", Strays::Wait), ("Ignore", Strays::Ignore), ("Terminate", Strays::Replace)];

pub(super) fn start(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input = form::deserialize_start_instance_refresh_request(&request.params).map_err(malformed)?;
    if input.strategy.as_deref().is_some_and(|strategy| strategy != "Rolling") {
        return Err(ApiError::validation("adf-local plays instance refreshes of the strategy Rolling"));
    }
    let desired = launch::choice(&request.params, "DesiredConfiguration.")?;
    let preferences = preferences(input.preferences.unwrap_or_default(), &request.params)?;
    let refresh = RefreshRequest { template: desired.template, mixed: desired.mixed, preferences };
    let id = request.model.start_instance_refresh(&input.auto_scaling_group_name, refresh, request.now)?;
    let output = form::StartInstanceRefreshAnswer { instance_refresh_id: Some(id) };
    Ok(form::serialize_start_instance_refresh_response(&output))
}

pub(super) fn cancel(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input = form::deserialize_cancel_instance_refresh_request(&request.params).map_err(malformed)?;
    let wait = input.wait_for_transitioning_instances.unwrap_or(true);
    let id = request.model.cancel_instance_refresh(&input.auto_scaling_group_name, wait, request.now)?;
    let output = form::CancelInstanceRefreshAnswer { instance_refresh_id: Some(id) };
    Ok(form::serialize_cancel_instance_refresh_response(&output))
}

pub(super) fn rollback(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input = form::deserialize_rollback_instance_refresh_request(&request.params).map_err(malformed)?;
    let id = request.model.rollback_instance_refresh(&input.auto_scaling_group_name, request.now)?;
    let output = form::RollbackInstanceRefreshAnswer { instance_refresh_id: Some(id) };
    Ok(form::serialize_rollback_instance_refresh_response(&output))
}

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input = form::deserialize_describe_instance_refreshes_request(&request.params).map_err(malformed)?;
    let group = request.model.existing_group(&input.auto_scaling_group_name)?;
    let ids = input.instance_refresh_ids.map(|ids| ids.items).unwrap_or_default();
    let mut found: Vec<form::InstanceRefresh> = Vec::new();
    for refresh in request.model.instance_refreshes(&group.name)? {
        if ids.is_empty() || ids.contains(&refresh.id) {
            found.push(described(group, refresh));
        }
    }
    let page = request.page(
        found,
        |it| it.instance_refresh_id.clone().unwrap_or_default(),
        input.next_token.as_deref(),
        input.max_records,
        PAGE,
    )?;
    let output = form::DescribeInstanceRefreshesAnswer {
        instance_refreshes: Some(page.items.into_iter().collect()),
        next_token: page.next,
    };
    Ok(form::serialize_describe_instance_refreshes_response(&output))
}

fn preferences(input: form::RefreshPreferences, params: &Params) -> Result<RefreshPreferences, ApiError> {
    let default = RefreshPreferences::default();
    let seconds = |value: Option<i32>, name: &str| {
        value.map(|value| Ok(Duration::from_secs(count(value, name)?.into()))).transpose()
    };
    let percentages = input.checkpoint_percentages.map(|it| it.items).unwrap_or_default();
    let percentage = |value: Option<i32>, name: &str| value.map(|value| count(value, name)).transpose();
    Ok(RefreshPreferences {
        min_healthy: percentage(input.min_healthy_percentage, "minHealthyPercentage")?
            .unwrap_or(default.min_healthy),
        max_healthy: percentage(input.max_healthy_percentage, "maxHealthyPercentage")?,
        // -1 takes a value away that was set before.
        warmup: seconds(input.instance_warmup.filter(|warmup| *warmup != -1), "instanceWarmup")?,
        checkpoints: percentages
            .into_iter()
            .map(|value| count(value, "checkpointPercentages"))
            .collect::<Result<_, _>>()?,
        checkpoint_delay: seconds(input.checkpoint_delay, "checkpointDelay")?
            .unwrap_or(default.checkpoint_delay),
        skip_matching: input.skip_matching.unwrap_or(default.skip_matching),
        auto_rollback: input.auto_rollback.unwrap_or(default.auto_rollback),
        protected: strays(input.scale_in_protected_instances, PROTECTED, "scaleInProtectedInstances")?,
        standby: strays(input.standby_instances, STANDBY, "standbyInstances")?,
        bake: seconds(input.bake_time, "bakeTime")?.unwrap_or(default.bake),
        // The generated code leaves this one out.
        alarms: list(params, "Preferences.AlarmSpecification.Alarms.member"),
    })
}

fn strays(name: Option<String>, known: [(&str, Strays); 3], field: &str) -> Result<Strays, ApiError> {
    let Some(name) = name else { return Ok(Strays::Wait) };
    let meant = known.into_iter().find(|(known, _)| *known == name);
    meant.map(|(_, strays)| strays).ok_or_else(|| {
        let all = known.map(|(known, _)| known).join(", ");
        ApiError::validation(format!(
            "1 validation error detected: Value '{name}' at 'preferences.{field}' failed to satisfy constraint: Member must satisfy enum value set: [{all}]"
        ))
    })
}

fn described(group: &Group, refresh: &InstanceRefresh) -> form::InstanceRefresh {
    form::InstanceRefresh {
        instance_refresh_id: Some(refresh.id.clone()),
        auto_scaling_group_name: Some(group.name.clone()),
        status: Some(refresh.status.name().to_owned()),
        status_reason: refresh.reason.clone(),
        start_time: Some(stamp(refresh.started_at)),
        end_time: refresh.ended_at.map(stamp),
        percentage_complete: Some(int(refresh.percentage)),
        instances_to_update: Some(int(refresh.instances_to_update)),
        preferences: Some(described_preferences(&refresh.preferences)),
        desired_configuration: refresh.desired.as_ref().map(described_configuration),
        rollback_details: refresh.rollback.as_ref().map(described_rollback),
        strategy: Some("Rolling".to_owned()),
        ..Default::default()
    }
}

fn described_configuration(desired: &LaunchConfiguration) -> form::DesiredConfiguration {
    form::DesiredConfiguration {
        launch_template: launch::plain(desired),
        mixed_instances_policy: launch::policy(desired),
    }
}

fn described_rollback(rollback: &Rollback) -> form::RollbackDetails {
    form::RollbackDetails {
        rollback_reason: Some(rollback.reason.clone()),
        rollback_start_time: Some(stamp(rollback.started_at)),
        percentage_complete_on_rollback: Some(int(rollback.percentage)),
        instances_to_update_on_rollback: Some(int(rollback.instances_to_update)),
        progress_details_on_rollback: None,
    }
}

fn described_preferences(held: &RefreshPreferences) -> form::RefreshPreferences {
    let seconds = |time: Duration| Some(int(time.as_secs()));
    let word = |known: [(&str, Strays); 3], held: Strays| {
        known.into_iter().find(|(_, strays)| *strays == held).map(|(word, _)| word.to_owned())
    };
    let with_checkpoints = !held.checkpoints.is_empty();
    let percentages = held.checkpoints.iter().map(|percentage| int(*percentage));
    form::RefreshPreferences {
        min_healthy_percentage: Some(int(held.min_healthy)),
        max_healthy_percentage: held.max_healthy.map(int),
        instance_warmup: held.warmup.and_then(seconds),
        checkpoint_percentages: with_checkpoints.then(|| percentages.collect()),
        checkpoint_delay: with_checkpoints.then(|| int(held.checkpoint_delay.as_secs())),
        skip_matching: Some(held.skip_matching),
        auto_rollback: Some(held.auto_rollback),
        scale_in_protected_instances: word(PROTECTED, held.protected),
        standby_instances: word(STANDBY, held.standby),
        bake_time: (!held.bake.is_zero()).then(|| int(held.bake.as_secs())),
        alarm_specification: (!held.alarms.is_empty())
            .then(|| form::AlarmSpecification { alarms: Some(held.alarms.iter().cloned().collect()) }),
    }
}
