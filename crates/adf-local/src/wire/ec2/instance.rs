//! An instance, as answers carry it.

use winterbaume_ec2_generated::model as wire;

use super::launch_data::tag_list;
use crate::model::{Instance, InstanceState, Model};
use crate::wire::answer::{int, stamp};

pub(super) fn instance(model: &Model, it: &Instance) -> wire::Instance {
    let alive = it.state != InstanceState::Terminated;
    let network = model.network();
    wire::Instance {
        instance_id: Some(it.id.clone()),
        ami_launch_index: Some(int(it.launch_index)),
        image_id: Some(it.image_id.clone()),
        instance_type: Some(it.instance_type.clone()),
        key_name: it.key_name.clone(),
        client_token: Some(it.client_token.clone().unwrap_or_default()),
        launch_time: Some(stamp(it.launched_at)),
        state: Some(state(it.state)),
        state_reason: it.state_reason.as_ref().map(|(code, message)| wire::StateReason {
            code: Some((*code).to_owned()),
            message: Some(message.clone()),
        }),
        state_transition_reason: Some(
            it.state_reason.as_ref().map_or_else(String::new, |(_, text)| text.clone()),
        ),
        private_ip_address: alive.then(|| it.private_ip.to_string()),
        private_dns_name: Some(if alive { private_name(it) } else { String::new() }),
        public_dns_name: Some(String::new()),
        subnet_id: alive.then(|| it.subnet_id.clone()),
        vpc_id: alive.then(|| network.vpc_id.clone()),
        placement: Some(wire::Placement {
            availability_zone: Some(it.zone.clone()),
            group_name: Some(String::new()),
            tenancy: Some("default".to_owned()),
            ..Default::default()
        }),
        security_groups: alive.then(|| security_groups(it)),
        network_interfaces: Some(alive.then(|| interface(model, it)).into_iter().collect()),
        // Instances here are processes: they have no volumes.
        block_device_mappings: Some(wire::InstanceBlockDeviceMappingList::default()),
        product_codes: Some(wire::ProductCodeList::default()),
        hibernation_options: Some(wire::HibernationOptions { configured: Some(false) }),
        metadata_options: Some(metadata(it)),
        monitoring: Some(wire::Monitoring { state: Some("disabled".to_owned()) }),
        iam_instance_profile: it.iam_role.as_ref().map(|role| wire::IamInstanceProfile {
            arn: Some(format!("arn:aws:iam::{}:instance-profile/{role}", model.settings().account)),
            id: Some(format!(
                "AIPA0ADF{:X<13.13}",
                role.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "X")
            )),
        }),
        tags: tag_list(&it.tags),
        architecture: Some(architecture().to_owned()),
        hypervisor: Some("xen".to_owned()),
        virtualization_type: Some("hvm".to_owned()),
        root_device_name: Some("/dev/xvda".to_owned()),
        root_device_type: Some("ebs".to_owned()),
        ebs_optimized: Some(false),
        ena_support: Some(true),
        source_dest_check: Some(true),
        ..Default::default()
    }
}

pub(super) fn state(state: InstanceState) -> wire::InstanceState {
    wire::InstanceState { code: Some(state.code()), name: Some(state.name().to_owned()) }
}

/// The machine adf-local itself runs on is what its instances run on.
pub(super) fn architecture() -> &'static str {
    if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" }
}

/// The one interface that has the instance's address; its ids are the instance's with another prefix.
fn interface(model: &Model, it: &Instance) -> wire::InstanceNetworkInterface {
    let tail = it.id.trim_start_matches("i-");
    let address = wire::InstancePrivateIpAddress {
        primary: Some(true),
        private_ip_address: Some(it.private_ip.to_string()),
        private_dns_name: Some(private_name(it)),
        ..Default::default()
    };
    wire::InstanceNetworkInterface {
        network_interface_id: Some(format!("eni-{tail}")),
        owner_id: Some(model.settings().account.clone()),
        subnet_id: Some(it.subnet_id.clone()),
        vpc_id: Some(model.network().vpc_id.clone()),
        private_ip_address: Some(it.private_ip.to_string()),
        private_dns_name: Some(private_name(it)),
        private_ip_addresses: Some([address].into_iter().collect()),
        ipv6_addresses: Some(wire::InstanceIpv6AddressList::default()),
        groups: Some(security_groups(it)),
        description: Some(String::new()),
        interface_type: Some("interface".to_owned()),
        source_dest_check: Some(true),
        status: Some("in-use".to_owned()),
        attachment: Some(wire::InstanceNetworkInterfaceAttachment {
            attachment_id: Some(format!("eni-attach-{tail}")),
            attach_time: Some(stamp(it.launched_at)),
            delete_on_termination: Some(true),
            device_index: Some(0),
            network_card_index: Some(0),
            status: Some("attached".to_owned()),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn private_name(it: &Instance) -> String {
    format!("ip-{}.ec2.internal", it.private_ip.to_string().replace('.', "-"))
}

fn security_groups(it: &Instance) -> wire::GroupIdentifierList {
    let group = |id: &String| wire::GroupIdentifier {
        group_id: Some(id.clone()),
        group_name: Some("default".to_owned()),
    };
    it.security_group_ids.iter().map(group).collect()
}

fn metadata(it: &Instance) -> wire::InstanceMetadataOptionsResponse {
    let switch = |on: bool| Some(if on { "enabled" } else { "disabled" }.to_owned());
    wire::InstanceMetadataOptionsResponse {
        state: Some("applied".to_owned()),
        http_tokens: Some(if it.metadata.http_tokens_required { "required" } else { "optional" }.to_owned()),
        http_put_response_hop_limit: Some(i32::from(it.metadata.hop_limit)),
        http_endpoint: switch(true),
        http_protocol_ipv6: switch(false),
        instance_metadata_tags: switch(it.metadata.tags_enabled),
    }
}
