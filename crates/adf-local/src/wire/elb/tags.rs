//! Tags of load balancers, listeners and target groups.

use std::collections::BTreeMap;

use winterbaume_elasticloadbalancingv2::wire as form;

use crate::wire::Request;
use crate::wire::answer::{Answer, malformed};

pub(super) fn add(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_add_tags_request(&request.params).map_err(malformed)?;
    let tags = tag_map(Some(input.tags));
    request.model.tag_balancing(&input.resource_arns.items, &tags)?;
    Ok(form::serialize_add_tags_response(&form::AddTagsOutput::default()))
}

pub(super) fn remove(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_remove_tags_request(&request.params).map_err(malformed)?;
    request.model.untag_balancing(&input.resource_arns.items, &input.tag_keys.items)?;
    Ok(form::serialize_remove_tags_response(&form::RemoveTagsOutput::default()))
}

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_tags_request(&request.params).map_err(malformed)?;
    let mut descriptions = Vec::new();
    for arn in input.resource_arns.items {
        let tags = request.model.balancing_tags(&arn)?;
        let tag =
            |(key, value): (&String, &String)| form::Tag { key: key.clone(), value: Some(value.clone()) };
        let tags = Some(tags.iter().map(tag).collect());
        descriptions.push(form::TagDescription { resource_arn: Some(arn), tags });
    }
    let tag_descriptions = Some(descriptions.into_iter().collect());
    Ok(form::serialize_describe_tags_response(&form::DescribeTagsOutput { tag_descriptions }))
}

pub(super) fn tag_map(tags: Option<form::TagList>) -> BTreeMap<String, String> {
    let tags = tags.map(|tags| tags.items).unwrap_or_default();
    tags.into_iter().map(|tag| (tag.key, tag.value.unwrap_or_default())).collect()
}
