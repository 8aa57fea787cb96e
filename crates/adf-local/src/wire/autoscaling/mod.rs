//! Auto Scaling.

mod activities;
mod described;
mod groups;
mod hooks;
mod launch;
mod load_balancing;
mod members;
mod refreshes;
mod tags;

use super::answer::Answer;
use super::{Request, unknown_action};

pub(super) fn dispatch(action: &str, request: &mut Request<'_>) -> Answer {
    match action {
        "CreateAutoScalingGroup" => groups::create(request),
        "UpdateAutoScalingGroup" => groups::update(request),
        "DeleteAutoScalingGroup" => groups::delete(request),
        "DescribeAutoScalingGroups" => groups::describe(request),
        "SetDesiredCapacity" => groups::set_desired_capacity(request),
        "SuspendProcesses" => groups::suspend(request),
        "ResumeProcesses" => groups::resume(request),
        "DescribeAutoScalingInstances" => members::describe(request),
        "EnterStandby" => members::enter_standby(request),
        "ExitStandby" => members::exit_standby(request),
        "TerminateInstanceInAutoScalingGroup" => members::terminate(request),
        "SetInstanceProtection" => members::set_protection(request),
        "SetInstanceHealth" => members::set_health(request),
        "AttachInstances" => members::attach(request),
        "DetachInstances" => members::detach(request),
        "PutLifecycleHook" => hooks::put(request),
        "DeleteLifecycleHook" => hooks::delete(request),
        "DescribeLifecycleHooks" => hooks::describe(request),
        "CompleteLifecycleAction" => hooks::complete(request),
        "RecordLifecycleActionHeartbeat" => hooks::heartbeat(request),
        "StartInstanceRefresh" => refreshes::start(request),
        "DescribeInstanceRefreshes" => refreshes::describe(request),
        "CancelInstanceRefresh" => refreshes::cancel(request),
        "RollbackInstanceRefresh" => refreshes::rollback(request),
        "DescribeScalingActivities" => activities::describe(request),
        "CreateOrUpdateTags" => tags::create(request),
        "DeleteTags" => tags::delete(request),
        "DescribeTags" => tags::describe(request),
        "AttachLoadBalancerTargetGroups" => load_balancing::attach(request),
        "DetachLoadBalancerTargetGroups" => load_balancing::detach(request),
        "DescribeLoadBalancerTargetGroups" => load_balancing::describe(request),
        other => Err(unknown_action(other)),
    }
}
