//! Load balancers.

use winterbaume_elasticloadbalancingv2::wire as form;

use super::tags::tag_map;
use crate::model::targets::NewLoadBalancer;
use crate::model::{ApiError, LoadBalancer, Model};
use crate::wire::Request;
use crate::wire::answer::{Answer, malformed, stamp};

/// Load balancers a page at most.
const PAGE: usize = 400;

pub(super) fn create(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_create_load_balancer_request(&request.params).map_err(malformed)?;
    let mappings = input.subnet_mappings.map(|mappings| mappings.items).unwrap_or_default();
    let subnets = input.subnets.map(|subnets| subnets.items).unwrap_or_default();
    let new = NewLoadBalancer {
        name: input.name,
        subnet_ids: subnets.into_iter().chain(mappings.into_iter().filter_map(|it| it.subnet_id)).collect(),
        security_group_ids: input.security_groups.map(|groups| groups.items).unwrap_or_default(),
        scheme: input.scheme,
        kind: input.r#type,
        tags: tag_map(input.tags),
    };
    let arn = request.model.create_load_balancer(new, request.now)?;
    let made = request.model.existing_load_balancer(&arn)?;
    let load_balancers = Some([described(request.model, made)].into_iter().collect());
    Ok(form::serialize_create_load_balancer_response(&form::CreateLoadBalancerOutput { load_balancers }))
}

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_load_balancers_request(&request.params).map_err(malformed)?;
    let model = &*request.model;
    let arns = input.load_balancer_arns.map(|arns| arns.items).unwrap_or_default();
    let names = input.names.map(|names| names.items).unwrap_or_default();
    let unknown_arn = arns.iter().any(|arn| model.existing_load_balancer(arn).is_err());
    if unknown_arn || names.iter().any(|name| !model.load_balancers().any(|it| it.name == *name)) {
        let asked = arns.iter().chain(&names).cloned().collect::<Vec<_>>().join("', '");
        return Err(ApiError::new("LoadBalancerNotFound", format!("Load balancers '[{asked}]' not found")));
    }
    let wanted = |it: &&LoadBalancer| {
        arns.is_empty() && names.is_empty() || arns.contains(&it.arn) || names.contains(&it.name)
    };
    let found: Vec<&LoadBalancer> = model.load_balancers().filter(wanted).collect();
    let page = request.page(found, |it| it.arn.clone(), input.marker.as_deref(), input.page_size, PAGE)?;
    let output = form::DescribeLoadBalancersOutput {
        load_balancers: Some(page.items.into_iter().map(|it| described(model, it)).collect()),
        next_marker: page.next,
    };
    Ok(form::serialize_describe_load_balancers_response(&output))
}

pub(super) fn delete(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_delete_load_balancer_request(&request.params).map_err(malformed)?;
    request.model.delete_load_balancer(&input.load_balancer_arn);
    Ok(form::serialize_delete_load_balancer_response(&form::DeleteLoadBalancerOutput::default()))
}

fn described(model: &Model, it: &LoadBalancer) -> form::LoadBalancer {
    let zone = |id: &String| form::AvailabilityZone {
        subnet_id: Some(id.clone()),
        zone_name: model.network().subnet(id).map(|subnet| subnet.zone.clone()),
        load_balancer_addresses: Some(form::LoadBalancerAddresses::default()),
        ..Default::default()
    };
    form::LoadBalancer {
        load_balancer_arn: Some(it.arn.clone()),
        load_balancer_name: Some(it.name.clone()),
        d_n_s_name: Some(it.dns_name.clone()),
        // The zone that AWS's own balancers of us-east-1 are in; nothing here resolves through it.
        canonical_hosted_zone_id: Some("Z35SXDOTRQ7X7K".to_owned()),
        created_time: Some(stamp(it.created_at)),
        scheme: Some(it.scheme.clone()),
        r#type: Some(it.kind.clone()),
        vpc_id: Some(model.network().vpc_id.clone()),
        ip_address_type: Some("ipv4".to_owned()),
        state: Some(form::LoadBalancerState { code: Some("active".to_owned()), reason: None }),
        availability_zones: Some(it.subnet_ids.iter().map(zone).collect()),
        security_groups: Some(it.security_group_ids.iter().cloned().collect()),
        ..Default::default()
    }
}
