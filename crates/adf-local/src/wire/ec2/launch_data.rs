//! Launch parameters of requests, in the model's words.

use std::collections::BTreeMap;

use winterbaume_ec2_generated::model as wire;

use crate::model::templates::{LaunchData, MetadataRequest, NetworkInterface, TagSpecification};

/// The data of a template or a template version.
pub(super) fn of_template(data: wire::RequestLaunchTemplateData) -> LaunchData {
    let profile = data.iam_instance_profile.unwrap_or_default();
    LaunchData {
        image_id: data.image_id,
        instance_type: data.instance_type,
        key_name: data.key_name,
        user_data: data.user_data,
        security_group_ids: data.security_group_ids.map(|ids| ids.items).unwrap_or_default(),
        iam_profile_name: profile.name,
        iam_profile_arn: profile.arn,
        tag_specifications: data
            .tag_specifications
            .map(|specs| specs.items)
            .unwrap_or_default()
            .into_iter()
            .map(|spec| tag_specification(spec.resource_type, spec.tags))
            .collect(),
        metadata: data.metadata_options.map(|options| MetadataRequest {
            http_tokens: options.http_tokens,
            hop_limit: options.http_put_response_hop_limit,
            http_endpoint: options.http_endpoint,
            instance_tags: options.instance_metadata_tags,
        }),
        network_interfaces: data
            .network_interfaces
            .map(|nics| nics.items)
            .unwrap_or_default()
            .into_iter()
            .map(|nic| NetworkInterface {
                device_index: nic.device_index,
                subnet_id: nic.subnet_id,
                security_group_ids: nic.groups.map(|groups| groups.items).unwrap_or_default(),
                associate_public_ip: nic.associate_public_ip_address,
            })
            .collect(),
        zone: data.placement.and_then(|placement| placement.availability_zone),
        monitoring: data.monitoring.and_then(|monitoring| monitoring.enabled),
        ebs_optimized: data.ebs_optimized,
    }
}

/// What a `RunInstances` request says itself.
pub(super) fn of_run(input: &wire::RunInstancesRequest) -> LaunchData {
    let input = input.clone();
    let profile = input.iam_instance_profile.unwrap_or_default();
    LaunchData {
        image_id: input.image_id,
        instance_type: input.instance_type,
        key_name: input.key_name,
        user_data: input.user_data,
        security_group_ids: input.security_group_ids.map(|ids| ids.items).unwrap_or_default(),
        iam_profile_name: profile.name,
        iam_profile_arn: profile.arn,
        tag_specifications: tag_specifications(input.tag_specifications),
        metadata: input.metadata_options.map(|options| MetadataRequest {
            http_tokens: options.http_tokens,
            hop_limit: options.http_put_response_hop_limit,
            http_endpoint: options.http_endpoint,
            instance_tags: options.instance_metadata_tags,
        }),
        network_interfaces: input
            .network_interfaces
            .map(|nics| nics.items)
            .unwrap_or_default()
            .into_iter()
            .map(|nic| NetworkInterface {
                device_index: nic.device_index,
                subnet_id: nic.subnet_id,
                security_group_ids: nic.groups.map(|groups| groups.items).unwrap_or_default(),
                associate_public_ip: nic.associate_public_ip_address,
            })
            .collect(),
        zone: input.placement.and_then(|placement| placement.availability_zone),
        monitoring: input.monitoring.map(|monitoring| monitoring.enabled),
        ebs_optimized: input.ebs_optimized,
    }
}

pub(super) fn tag_specifications(specs: Option<wire::TagSpecificationList>) -> Vec<TagSpecification> {
    let specs = specs.map(|specs| specs.items).unwrap_or_default();
    specs.into_iter().map(|spec| tag_specification(spec.resource_type, spec.tags)).collect()
}

fn tag_specification(resource_type: Option<String>, tags: Option<wire::TagList>) -> TagSpecification {
    TagSpecification { resource_type: resource_type.unwrap_or_default(), tags: tag_map(tags) }
}

pub(super) fn tag_map(tags: Option<wire::TagList>) -> BTreeMap<String, String> {
    let tags = tags.map(|tags| tags.items).unwrap_or_default();
    tags.into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()
}

/// Tags as answers carry them; none at all is an absent set.
pub(super) fn tag_list(tags: &BTreeMap<String, String>) -> Option<wire::TagList> {
    let tag =
        |(key, value): (&String, &String)| wire::Tag { key: Some(key.clone()), value: Some(value.clone()) };
    (!tags.is_empty()).then(|| tags.iter().map(tag).collect())
}
