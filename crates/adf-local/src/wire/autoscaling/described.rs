//! Groups and members, as answers carry them.

use winterbaume_autoscaling::wire as form;

use super::launch;
use crate::model::groups::{Activity, GroupTag, Membership};
use crate::model::{Group, Instance, Model};
use crate::wire::answer::{int, stamp};

pub(super) fn group(model: &Model, group: &Group) -> form::AutoScalingGroup {
    let zones = group.subnet_ids.iter().filter_map(|id| model.network().subnet(id));
    let arns = || group.attachments.iter().map(|attachment| attachment.target_group_arn.clone());
    let members = model.members(&group.name).map(|(instance, membership)| member(instance, membership));
    let own = group.own_configuration();
    let tags = group.tags.iter().map(|(key, held)| tag(&group.name, key, held));
    form::AutoScalingGroup {
        auto_scaling_group_name: Some(group.name.clone()),
        auto_scaling_group_a_r_n: Some(group.arn.clone()),
        created_time: Some(stamp(group.created_at)),
        min_size: Some(int(group.min)),
        max_size: Some(int(group.max)),
        desired_capacity: Some(int(group.desired)),
        default_cooldown: Some(int(group.cooldown.as_secs())),
        default_instance_warmup: group.default_warmup,
        health_check_type: Some(if group.elb_health { "ELB" } else { "EC2" }.to_owned()),
        health_check_grace_period: Some(int(group.grace.as_secs())),
        availability_zones: Some(zones.map(|subnet| subnet.zone.clone()).collect()),
        v_p_c_zone_identifier: Some(group.subnet_ids.join(",")),
        launch_template: own.as_ref().and_then(launch::plain),
        mixed_instances_policy: own.as_ref().and_then(launch::policy),
        load_balancer_names: Some(form::LoadBalancerNames::default()),
        target_group_a_r_ns: Some(arns().collect()),
        traffic_sources: Some(
            arns()
                .map(|arn| form::TrafficSourceIdentifier {
                    identifier: arn,
                    r#type: Some("elbv2".to_owned()),
                })
                .collect(),
        ),
        termination_policies: Some(group.termination_policies.iter().cloned().collect()),
        new_instances_protected_from_scale_in: Some(group.new_instances_protected),
        capacity_rebalance: Some(false),
        service_linked_role_a_r_n: Some(format!(
            "arn:aws:iam::{}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
            model.settings().account
        )),
        suspended_processes: Some(
            group
                .suspended
                .iter()
                .map(|process| form::SuspendedProcess {
                    process_name: Some(process.name().to_owned()),
                    suspension_reason: Some(format!("User suspended at {}", stamp(group.created_at))),
                })
                .collect(),
        ),
        enabled_metrics: Some(form::EnabledMetrics::default()),
        instances: Some(members.collect()),
        tags: Some(tags.collect()),
        status: group.deleting.then(|| "Delete in progress".to_owned()),
        ..Default::default()
    }
}

fn member(instance: &Instance, member: &Membership) -> form::Instance {
    form::Instance {
        instance_id: Some(instance.id.clone()),
        instance_type: Some(instance.instance_type.clone()),
        availability_zone: Some(instance.zone.clone()),
        lifecycle_state: Some(member.state.name().to_owned()),
        health_status: Some(if member.healthy { "Healthy" } else { "Unhealthy" }.to_owned()),
        launch_template: launched_from(instance, member),
        protected_from_scale_in: Some(member.protected_from_scale_in),
        ..Default::default()
    }
}

/// `DescribeAutoScalingInstances` writes health in capitals, unlike `DescribeAutoScalingGroups`.
pub(super) fn member_details(instance: &Instance, member: &Membership) -> form::AutoScalingInstanceDetails {
    form::AutoScalingInstanceDetails {
        instance_id: Some(instance.id.clone()),
        instance_type: Some(instance.instance_type.clone()),
        auto_scaling_group_name: Some(member.group.clone()),
        availability_zone: Some(instance.zone.clone()),
        lifecycle_state: Some(member.state.name().to_owned()),
        health_status: Some(if member.healthy { "HEALTHY" } else { "UNHEALTHY" }.to_owned()),
        launch_template: launched_from(instance, member),
        protected_from_scale_in: Some(member.protected_from_scale_in),
        ..Default::default()
    }
}

/// A member's template with the number its version resolved to at launch.
fn launched_from(instance: &Instance, member: &Membership) -> Option<form::LaunchTemplateSpecification> {
    let (_, number) = instance.launch_template.as_ref()?;
    let named = launch::template(member.template.as_ref()?);
    Some(form::LaunchTemplateSpecification { version: Some(number.to_string()), ..named })
}

pub(super) fn tag(group: &str, key: &str, tag: &GroupTag) -> form::TagDescription {
    form::TagDescription {
        resource_id: Some(group.to_owned()),
        resource_type: Some("auto-scaling-group".to_owned()),
        key: Some(key.to_owned()),
        value: Some(tag.value.clone()),
        propagate_at_launch: Some(tag.propagate),
    }
}

pub(super) fn activity(model: &Model, activity: &Activity) -> form::Activity {
    let details = activity.subnet_id.as_ref().zip(activity.zone.as_ref());
    form::Activity {
        activity_id: Some(activity.id.clone()),
        auto_scaling_group_name: Some(activity.group.clone()),
        auto_scaling_group_a_r_n: model.group(&activity.group).map(|group| group.arn.clone()),
        description: Some(activity.description.clone()),
        cause: Some(activity.cause.clone()),
        start_time: Some(stamp(activity.started_at)),
        end_time: activity.ended_at.map(stamp),
        status_code: Some(activity.status.name().to_owned()),
        status_message: activity.message.clone(),
        progress: Some(activity.status.progress()),
        details: Some(details.map_or_else(
            || "{}".to_owned(),
            |(subnet, zone)| format!("{{\"Subnet ID\":\"{subnet}\",\"Availability Zone\":\"{zone}\"}}"),
        )),
        ..Default::default()
    }
}

pub(super) fn activities(model: &Model, all: &[Activity]) -> form::Activities {
    all.iter().map(|it| activity(model, it)).collect()
}
