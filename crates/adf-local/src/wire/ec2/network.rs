//! The default VPC: `DescribeVpcs`, `DescribeSubnets`, `DescribeSecurityGroups`, `DescribeAvailabilityZones`.

use serde::Serialize;
use winterbaume_ec2_generated::{model as wire, wire as form};

use super::extras;
use crate::model::{ApiError, Subnet};
use crate::wire::Request;
use crate::wire::answer::{Answer, int, malformed};
use crate::wire::params::list;

pub(super) fn describe_vpcs(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_vpcs_request(&request.params).map_err(malformed)?;
    let network = request.model.network();
    let vpc_ids = input.vpc_ids.map(|ids| ids.items);
    check_ids(vpc_ids.as_ref(), &[network.vpc_id.as_str()], "InvalidVpcID.NotFound", "vpc")?;
    let passes = all_pass(input.filters, |name| match name {
        "vpc-id" => Some(network.vpc_id.clone()),
        "is-default" | "isDefault" => Some("true".to_owned()),
        "cidr" | "cidr-block" => Some(network.cidr()),
        "state" => Some("available".to_owned()),
        _ => None,
    });
    let vpc = wire::Vpc {
        vpc_id: Some(network.vpc_id.clone()),
        cidr_block: Some(network.cidr()),
        is_default: Some(true),
        state: Some("available".to_owned()),
        owner_id: Some(request.model.settings().account.clone()),
        instance_tenancy: Some("default".to_owned()),
        dhcp_options_id: Some("default".to_owned()),
        cidr_block_association_set: Some([cidr_association(network.cidr())].into_iter().collect()),
        ..Default::default()
    };
    let output = wire::DescribeVpcsResult {
        vpcs: Some(passes.then_some(vpc).into_iter().collect()),
        next_token: None,
    };
    Ok(form::serialize_describe_vpcs_response(&output))
}

pub(super) fn describe_subnets(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_subnets_request(&request.params).map_err(malformed)?;
    let network = request.model.network();
    let all: Vec<&str> = network.subnets.iter().map(|subnet| subnet.id.as_str()).collect();
    let ids = input.subnet_ids.map(|ids| ids.items);
    check_ids(ids.as_ref(), &all, "InvalidSubnetID.NotFound", "subnet")?;
    let wanted = |subnet: &&Subnet| {
        ids.as_ref().is_none_or(|ids| ids.contains(&subnet.id))
            && all_pass(input.filters.clone(), |name| match name {
                "vpc-id" => Some(network.vpc_id.clone()),
                "subnet-id" => Some(subnet.id.clone()),
                "availability-zone" | "availabilityZone" => Some(subnet.zone.clone()),
                "default-for-az" | "defaultForAz" => Some("true".to_owned()),
                "cidr-block" | "cidr" => Some(subnet.cidr()),
                "state" => Some("available".to_owned()),
                _ => None,
            })
    };
    let settings = request.model.settings();
    let described = |subnet: &Subnet| wire::Subnet {
        subnet_id: Some(subnet.id.clone()),
        subnet_arn: Some(format!(
            "arn:aws:ec2:{}:{}:subnet/{}",
            settings.region, settings.account, subnet.id
        )),
        vpc_id: Some(network.vpc_id.clone()),
        availability_zone: Some(subnet.zone.clone()),
        availability_zone_id: Some(zone_id(&subnet.zone)),
        cidr_block: Some(subnet.cidr()),
        available_ip_address_count: Some(int(network.free(subnet))),
        default_for_az: Some(true),
        map_public_ip_on_launch: Some(false),
        assign_ipv6_address_on_creation: Some(false),
        ipv6_native: Some(false),
        ipv6_cidr_block_association_set: Some(wire::SubnetIpv6CidrBlockAssociationSet::default()),
        private_dns_name_options_on_launch: Some(wire::PrivateDnsNameOptionsOnLaunch {
            hostname_type: Some("ip-name".to_owned()),
            enable_resource_name_dns_a_record: Some(false),
            enable_resource_name_dns_a_a_a_a_record: Some(false),
        }),
        owner_id: Some(settings.account.clone()),
        state: Some("available".to_owned()),
        ..Default::default()
    };
    let subnets = network.subnets.iter().filter(wanted).map(described).collect();
    Ok(form::serialize_describe_subnets_response(&wire::DescribeSubnetsResult {
        subnets: Some(subnets),
        next_token: None,
    }))
}

pub(super) fn describe_security_groups(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_security_groups_request(&request.params).map_err(malformed)?;
    let network = request.model.network();
    let id = network.security_group_id.as_str();
    let (ids, names) = (input.group_ids.map(|ids| ids.items), input.group_names.map(|names| names.items));
    check_ids(ids.as_ref(), &[id], "InvalidGroup.NotFound", "security group")?;
    check_ids(names.as_ref(), &["default"], "InvalidGroup.NotFound", "security group")?;
    let passes = all_pass(input.filters, |name| match name {
        "vpc-id" => Some(network.vpc_id.clone()),
        "group-id" => Some(id.to_owned()),
        "group-name" => Some("default".to_owned()),
        _ => None,
    });
    let settings = request.model.settings();
    let group = wire::SecurityGroup {
        group_id: Some(id.to_owned()),
        security_group_arn: Some(format!(
            "arn:aws:ec2:{}:{}:security-group/{id}",
            settings.region, settings.account
        )),
        ip_permissions: Some([from_itself(id, &settings.account)].into_iter().collect()),
        ip_permissions_egress: Some([to_anywhere()].into_iter().collect()),
        group_name: Some("default".to_owned()),
        description: Some("default VPC security group".to_owned()),
        owner_id: Some(request.model.settings().account.clone()),
        vpc_id: Some(network.vpc_id.clone()),
        ..Default::default()
    };
    let output = wire::DescribeSecurityGroupsResult {
        security_groups: Some(passes.then_some(group).into_iter().collect()),
        next_token: None,
    };
    Ok(form::serialize_describe_security_groups_response(&output))
}

pub(super) fn describe_zones(request: &mut Request<'_>) -> Answer {
    let settings = request.model.settings();
    let names = list(&request.params, "ZoneName");
    if let Some(name) = names.iter().find(|name| !settings.zones.contains(name)) {
        return Err(ApiError::new("InvalidParameterValue", format!("Invalid availability zone: [{name}]")));
    }
    let zones = settings.zones.iter().filter(|zone| names.is_empty() || names.contains(zone));
    let items = zones.map(|zone| Zone {
        zone_name: zone.clone(),
        zone_id: zone_id(zone),
        zone_state: "available",
        region_name: settings.region.clone(),
        zone_type: "availability-zone",
        group_name: settings.region.clone(),
        network_border_group: settings.region.clone(),
        opt_in_status: "opt-in-not-required",
        message_set: "",
    });
    let output = Zones { availability_zone_info: ZoneSet { items: items.collect() } };
    Ok(extras::answer("DescribeAvailabilityZones", &output))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Zones {
    availability_zone_info: ZoneSet,
}

#[derive(Serialize)]
struct ZoneSet {
    #[serde(rename = "item")]
    items: Vec<Zone>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_field_names, reason = "the names are EC2's")]
struct Zone {
    zone_name: String,
    zone_id: String,
    zone_state: &'static str,
    region_name: String,
    zone_type: &'static str,
    group_name: String,
    network_border_group: String,
    opt_in_status: &'static str,
    message_set: &'static str,
}

fn cidr_association(cidr: String) -> wire::VpcCidrBlockAssociation {
    wire::VpcCidrBlockAssociation {
        association_id: Some("vpc-cidr-assoc-0adf0000000000001".to_owned()),
        cidr_block: Some(cidr),
        cidr_block_state: Some(wire::VpcCidrBlockState {
            state: Some("associated".to_owned()),
            status_message: None,
        }),
    }
}

/// What AWS puts into every VPC's default group: in from itself, out to anywhere.
fn from_itself(group: &str, account: &str) -> wire::IpPermission {
    let pair = wire::UserIdGroupPair {
        group_id: Some(group.to_owned()),
        user_id: Some(account.to_owned()),
        ..Default::default()
    };
    wire::IpPermission { user_id_group_pairs: Some([pair].into_iter().collect()), ..any_protocol() }
}

fn to_anywhere() -> wire::IpPermission {
    let range = wire::IpRange { cidr_ip: Some("0.0.0.0/0".to_owned()), description: None };
    wire::IpPermission { ip_ranges: Some([range].into_iter().collect()), ..any_protocol() }
}

fn any_protocol() -> wire::IpPermission {
    wire::IpPermission {
        ip_protocol: Some("-1".to_owned()),
        ip_ranges: Some(wire::IpRangeList::default()),
        ipv6_ranges: Some(wire::Ipv6RangeList::default()),
        prefix_list_ids: Some(wire::PrefixListIdList::default()),
        user_id_group_pairs: Some(wire::UserIdGroupPairList::default()),
        ..Default::default()
    }
}

/// `use1-az1` for `us-east-1a`: region parts shortened, zones numbered.
fn zone_id(zone: &str) -> String {
    let letter = zone.bytes().next_back().unwrap_or(b'a');
    let region: String = zone.split('-').enumerate().map(|(at, part)| short(part, at)).collect();
    format!("{region}-az{}", letter.saturating_sub(b'a') + 1)
}

fn short(part: &str, at: usize) -> String {
    match at {
        0 => part.to_owned(),
        1 => part.chars().take(1).collect(),
        _ => part.chars().take_while(char::is_ascii_digit).collect(),
    }
}

fn check_ids(
    wanted: Option<&Vec<String>>,
    known: &[&str],
    code: &'static str,
    what: &str,
) -> Result<(), ApiError> {
    match wanted.into_iter().flatten().find(|id| !known.contains(&id.as_str())) {
        None => Ok(()),
        Some(id) => Err(ApiError::new(code, format!("The {what} ID '{id}' does not exist"))),
    }
}

/// Whether every filter has the value held under its name among its values; a name nothing is held under passes nothing.
fn all_pass(filters: Option<wire::FilterList>, held: impl Fn(&str) -> Option<String>) -> bool {
    let filters = filters.map(|filters| filters.items).unwrap_or_default();
    filters
        .into_iter()
        .map(super::filter)
        .all(|(name, values)| held(&name).is_some_and(|it| values.contains(&it)))
}
