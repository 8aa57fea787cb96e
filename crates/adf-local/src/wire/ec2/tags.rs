//! Tags: `CreateTags`, `DeleteTags`, `DescribeTags`.
//!
//! The generated crate has these operations only with its `extras` feature, half as much again of a crate that is already the
//! longest to build here; so the requests are read from the parameters and the answers' few types are here.

use std::collections::BTreeMap;

use serde::Serialize;
use winterbaume_ec2_generated::model as wire;

use super::extras;
use crate::model::ec2::TaggedResource;
use crate::wire::Request;
use crate::wire::answer::Answer;
use crate::wire::params::{Params, list};

/// Tags a page at most.
const PAGE: usize = 1000;

pub(super) fn create(request: &mut Request<'_>, params: &Params) -> Answer {
    let tags: BTreeMap<String, String> =
        tags(params).into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect();
    request.model.create_tags(&list(params, "ResourceId"), &tags)?;
    Ok(extras::done("CreateTags"))
}

pub(super) fn delete(request: &mut Request<'_>, params: &Params) -> Answer {
    request.model.delete_tags(&list(params, "ResourceId"), &tags(params))?;
    Ok(extras::done("DeleteTags"))
}

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    let params = &request.params;
    let filters = extras::filters(params);
    let passes = |tag: &TaggedResource| filters.iter().all(|filter| passes(tag, filter));
    let found: Vec<TaggedResource> = request.model.resource_tags().filter(passes).collect();
    let size = params.get("MaxResults").and_then(|size| size.parse().ok());
    let page = request.page(
        found,
        |it| format!("{}/{}", it.resource_id, it.key),
        params.get("NextToken").map(String::as_str),
        size,
        PAGE,
    )?;
    let items = page.items.into_iter().map(TagDescription::from).collect();
    let output = DescribeTagsResult { next_token: page.next, tags: TagSet { items } };
    Ok(extras::answer("DescribeTags", &output))
}

fn tags(params: &Params) -> Vec<(String, Option<String>)> {
    let key = |number: u32| params.get(&format!("Tag.{number}.Key")).cloned();
    let value = |number: u32| params.get(&format!("Tag.{number}.Value")).cloned();
    (1..).map_while(|number| Some((key(number)?, value(number)))).collect()
}

fn passes(tag: &TaggedResource, filter: &wire::Filter) -> bool {
    let values = filter.values.as_ref().map(|values| values.items.as_slice()).unwrap_or_default();
    let name = filter.name.as_deref().unwrap_or_default();
    let held = match name {
        "resource-id" => &tag.resource_id,
        "resource-type" => tag.resource_type,
        "key" => &tag.key,
        "value" => &tag.value,
        _ => match name.strip_prefix("tag:") {
            Some(key) if key == tag.key => &tag.value,
            _ => return false,
        },
    };
    values.iter().any(|value| value == held)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DescribeTagsResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
    #[serde(rename = "tagSet")]
    tags: TagSet,
}

#[derive(Serialize)]
struct TagSet {
    #[serde(rename = "item")]
    items: Vec<TagDescription>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TagDescription {
    resource_id: String,
    resource_type: &'static str,
    key: String,
    value: String,
}

impl From<TaggedResource> for TagDescription {
    fn from(tag: TaggedResource) -> Self {
        Self {
            resource_id: tag.resource_id,
            resource_type: tag.resource_type,
            key: tag.key,
            value: tag.value,
        }
    }
}
