//! Tags of groups.

use winterbaume_autoscaling::wire as form;

use super::described;
use crate::model::ApiError;
use crate::model::groups::GroupTag;
use crate::wire::Request;
use crate::wire::answer::{Answer, malformed};

/// Tags a page at most.
const PAGE: usize = 100;

/// All or none: every group is looked up before the first tag is set.
pub(super) fn create(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_create_or_update_tags_request(&request.params).map_err(malformed)?;
    for tag in &input.tags.items {
        request.model.existing_group(group(tag)?)?;
    }
    for tag in &input.tags.items {
        let value = GroupTag {
            value: tag.value.clone().unwrap_or_default(),
            propagate: tag.propagate_at_launch.unwrap_or(true),
        };
        request.model.tag_group(group(tag)?, &tag.key, value)?;
    }
    Ok(form::serialize_create_or_update_tags_response())
}

pub(super) fn delete(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_delete_tags_request(&request.params).map_err(malformed)?;
    for tag in &input.tags.items {
        request.model.untag_group(group(tag)?, &tag.key)?;
    }
    Ok(form::serialize_delete_tags_response())
}

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_tags_request(&request.params).map_err(malformed)?;
    let groups = request.model.groups();
    let all =
        groups.flat_map(|group| group.tags.iter().map(|(key, tag)| described::tag(&group.name, key, tag)));
    let mut found: Vec<form::TagDescription> = all.collect();
    for filter in input.filters.map(|filters| filters.items).unwrap_or_default() {
        let values = filter.values.map(|values| values.items).unwrap_or_default();
        let name = filter.name.unwrap_or_default();
        found.retain(|tag| passes(tag, &name, &values));
    }
    let page = request.page(
        found,
        |it| format!("{:?}/{:?}", it.resource_id, it.key),
        input.next_token.as_deref(),
        input.max_records,
        PAGE,
    )?;
    let output = form::TagsType { tags: Some(page.items.into_iter().collect()), next_token: page.next };
    Ok(form::serialize_describe_tags_response(&output))
}

fn passes(tag: &form::TagDescription, name: &str, values: &[String]) -> bool {
    let held = match name {
        "auto-scaling-group" => tag.resource_id.clone(),
        "key" => tag.key.clone(),
        "value" => tag.value.clone(),
        "propagate-at-launch" => tag.propagate_at_launch.map(|propagate| propagate.to_string()),
        _ => None,
    };
    held.is_some_and(|held| values.contains(&held))
}

fn group(tag: &form::Tag) -> Result<&str, ApiError> {
    tag.resource_id.as_deref().ok_or_else(|| ApiError::validation("A tag must name its ResourceId"))
}
