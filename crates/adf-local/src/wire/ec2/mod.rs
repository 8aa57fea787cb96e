//! EC2.

mod extras;
mod images;
mod instance;
mod instances;
mod launch_data;
mod network;
mod tags;
mod template;
mod templates;

use super::answer::Answer;
use super::{Request, params, unknown_action};

pub(super) fn dispatch(action: &str, request: &mut Request<'_>) -> Answer {
    let named_by_ec2 = std::mem::take(&mut request.params);
    request.params = params::ec2_names(&named_by_ec2);
    match action {
        "CreateLaunchTemplate" => templates::create(request),
        "CreateLaunchTemplateVersion" => templates::create_version(request),
        "DescribeLaunchTemplates" => templates::describe(request),
        "DescribeLaunchTemplateVersions" => templates::describe_versions(request),
        "ModifyLaunchTemplate" => templates::modify(request),
        "DeleteLaunchTemplate" => templates::delete(request),
        "DeleteLaunchTemplateVersions" => templates::delete_versions(request),
        "RunInstances" => instances::run(request),
        "DescribeInstances" => instances::describe(request),
        "DescribeInstanceStatus" => instances::describe_status(request),
        "TerminateInstances" => instances::terminate(request),
        "RebootInstances" => instances::reboot(request),
        "GetConsoleOutput" => instances::console_output(request),
        "CreateTags" => tags::create(request, &named_by_ec2),
        "DeleteTags" => tags::delete(request, &named_by_ec2),
        "DescribeTags" => tags::describe(request),
        "DescribeImages" => images::describe(request),
        "DescribeSubnets" => network::describe_subnets(request),
        "DescribeVpcs" => network::describe_vpcs(request),
        "DescribeSecurityGroups" => network::describe_security_groups(request),
        "DescribeAvailabilityZones" => network::describe_zones(request),
        other => Err(unknown_action(other)),
    }
}

/// A filter's name and values.
fn filter(filter: winterbaume_ec2_generated::model::Filter) -> (String, Vec<String>) {
    (filter.name.unwrap_or_default(), filter.values.map(|values| values.items).unwrap_or_default())
}
