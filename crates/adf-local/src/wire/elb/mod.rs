//! Elastic Load Balancing v2.

mod balancers;
mod listeners;
mod tags;
mod target_groups;
mod targets;

use super::answer::Answer;
use super::{Request, unknown_action};

pub(super) fn dispatch(action: &str, request: &mut Request<'_>) -> Answer {
    match action {
        "CreateLoadBalancer" => balancers::create(request),
        "DescribeLoadBalancers" => balancers::describe(request),
        "DeleteLoadBalancer" => balancers::delete(request),
        "CreateListener" => listeners::create(request),
        "DescribeListeners" => listeners::describe(request),
        "ModifyListener" => listeners::modify(request),
        "DeleteListener" => listeners::delete(request),
        "CreateTargetGroup" => target_groups::create(request),
        "ModifyTargetGroup" => target_groups::modify(request),
        "DescribeTargetGroups" => target_groups::describe(request),
        "DeleteTargetGroup" => target_groups::delete(request),
        "ModifyTargetGroupAttributes" => target_groups::modify_attributes(request),
        "DescribeTargetGroupAttributes" => target_groups::describe_attributes(request),
        "RegisterTargets" => targets::register(request),
        "DeregisterTargets" => targets::deregister(request),
        "DescribeTargetHealth" => targets::describe_health(request),
        "AddTags" => tags::add(request),
        "RemoveTags" => tags::remove(request),
        "DescribeTags" => tags::describe(request),
        other => Err(unknown_action(other)),
    }
}
