//! Target groups of a group.

use winterbaume_autoscaling::wire as form;

use crate::model::groups::Attachment;
use crate::wire::Request;
use crate::wire::answer::{Answer, malformed};
use crate::wire::params::need;

pub(super) fn attach(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input =
        form::deserialize_attach_load_balancer_target_groups_request(&request.params).map_err(malformed)?;
    let arns = input.target_group_a_r_ns.items;
    request.model.attach_target_groups(&input.auto_scaling_group_name, &arns, request.now)?;
    let output = form::AttachLoadBalancerTargetGroupsResultType::default();
    Ok(form::serialize_attach_load_balancer_target_groups_response(&output))
}

pub(super) fn detach(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input =
        form::deserialize_detach_load_balancer_target_groups_request(&request.params).map_err(malformed)?;
    let arns = input.target_group_a_r_ns.items;
    request.model.detach_target_groups(&input.auto_scaling_group_name, &arns, request.now)?;
    let output = form::DetachLoadBalancerTargetGroupsResultType::default();
    Ok(form::serialize_detach_load_balancer_target_groups_response(&output))
}

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    need(&request.params, &["AutoScalingGroupName"])?;
    let input =
        form::deserialize_describe_load_balancer_target_groups_request(&request.params).map_err(malformed)?;
    let group = request.model.existing_group(&input.auto_scaling_group_name)?;
    let state = |attachment: &Attachment| form::LoadBalancerTargetGroupState {
        load_balancer_target_group_a_r_n: Some(attachment.target_group_arn.clone()),
        state: Some(if attachment.in_service { "InService" } else { "Added" }.to_owned()),
    };
    let output = form::DescribeLoadBalancerTargetGroupsResponse {
        load_balancer_target_groups: Some(group.attachments.iter().map(state).collect()),
        next_token: None,
    };
    Ok(form::serialize_describe_load_balancer_target_groups_response(&output))
}
