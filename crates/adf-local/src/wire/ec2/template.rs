//! Templates and versions, as answers carry them.

use winterbaume_ec2_generated::model as wire;

use super::launch_data::tag_list;
use crate::model::Model;
use crate::model::templates::{
    LaunchData, LaunchTemplate, MetadataRequest, NetworkInterface, TemplateVersion,
};
use crate::wire::answer::stamp;

pub(super) fn template(model: &Model, template: &LaunchTemplate) -> wire::LaunchTemplate {
    wire::LaunchTemplate {
        launch_template_id: Some(template.id.clone()),
        launch_template_name: Some(template.name.clone()),
        create_time: Some(stamp(template.created_at)),
        created_by: Some(created_by(model)),
        default_version_number: Some(number(template.default_version)),
        latest_version_number: Some(number(template.latest_version)),
        tags: tag_list(&template.tags),
        ..Default::default()
    }
}

pub(super) fn version(
    model: &Model,
    template: &LaunchTemplate,
    version: &TemplateVersion,
) -> wire::LaunchTemplateVersion {
    wire::LaunchTemplateVersion {
        launch_template_id: Some(template.id.clone()),
        launch_template_name: Some(template.name.clone()),
        create_time: Some(stamp(version.created_at)),
        created_by: Some(created_by(model)),
        default_version: Some(version.number == template.default_version),
        version_number: Some(number(version.number)),
        version_description: version.description.clone(),
        launch_template_data: Some(data(&version.data)),
        ..Default::default()
    }
}

pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn created_by(model: &Model) -> String {
    format!("arn:aws:iam::{}:root", model.settings().account)
}

fn data(data: &LaunchData) -> wire::ResponseLaunchTemplateData {
    let profile = data.iam_profile_name.is_some() || data.iam_profile_arn.is_some();
    let groups = &data.security_group_ids;
    let specs = &data.tag_specifications;
    let interfaces = &data.network_interfaces;
    wire::ResponseLaunchTemplateData {
        image_id: data.image_id.clone(),
        instance_type: data.instance_type.clone(),
        key_name: data.key_name.clone(),
        user_data: data.user_data.clone(),
        ebs_optimized: data.ebs_optimized,
        security_group_ids: (!groups.is_empty()).then(|| wire::ValueStringList { items: groups.clone() }),
        iam_instance_profile: profile.then(|| wire::LaunchTemplateIamInstanceProfileSpecification {
            arn: data.iam_profile_arn.clone(),
            name: data.iam_profile_name.clone(),
        }),
        tag_specifications: (!specs.is_empty()).then(|| {
            let spec =
                |spec: &crate::model::templates::TagSpecification| wire::LaunchTemplateTagSpecification {
                    resource_type: Some(spec.resource_type.clone()),
                    tags: tag_list(&spec.tags),
                };
            specs.iter().map(spec).collect()
        }),
        metadata_options: data.metadata.as_ref().map(metadata),
        network_interfaces: (!interfaces.is_empty()).then(|| interfaces.iter().map(interface).collect()),
        placement: data.zone.clone().map(|zone| wire::LaunchTemplatePlacement {
            availability_zone: Some(zone),
            ..Default::default()
        }),
        monitoring: data.monitoring.map(|enabled| wire::LaunchTemplatesMonitoring { enabled: Some(enabled) }),
        ..Default::default()
    }
}

fn metadata(options: &MetadataRequest) -> wire::LaunchTemplateInstanceMetadataOptions {
    wire::LaunchTemplateInstanceMetadataOptions {
        http_tokens: options.http_tokens.clone(),
        http_put_response_hop_limit: options.hop_limit,
        http_endpoint: options.http_endpoint.clone(),
        instance_metadata_tags: options.instance_tags.clone(),
        ..Default::default()
    }
}

fn interface(nic: &NetworkInterface) -> wire::LaunchTemplateInstanceNetworkInterfaceSpecification {
    let groups = &nic.security_group_ids;
    wire::LaunchTemplateInstanceNetworkInterfaceSpecification {
        device_index: nic.device_index,
        subnet_id: nic.subnet_id.clone(),
        groups: (!groups.is_empty()).then(|| wire::GroupIdStringList { items: groups.clone() }),
        associate_public_ip_address: nic.associate_public_ip,
        ..Default::default()
    }
}
