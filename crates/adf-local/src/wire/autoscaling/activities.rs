//! `DescribeScalingActivities`.

use winterbaume_autoscaling::wire as form;

use super::described;
use crate::wire::Request;
use crate::wire::answer::{Answer, malformed};

/// Activities a page at most.
const PAGE: usize = 100;

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_scaling_activities_request(&request.params).map_err(malformed)?;
    let model = &*request.model;
    let group = input.auto_scaling_group_name.as_deref();
    if let Some(name) = group {
        model.existing_group(name)?;
    }
    let ids = input.activity_ids.map(|ids| ids.items).unwrap_or_default();
    let mut found = model.activities(group);
    found.retain(|activity| ids.is_empty() || ids.contains(&activity.id));
    let page =
        request.page(found, |it| it.id.clone(), input.next_token.as_deref(), input.max_records, PAGE)?;
    let activities = page.items.into_iter().map(|activity| described::activity(model, activity));
    let output = form::ActivitiesType { activities: Some(activities.collect()), next_token: page.next };
    Ok(form::serialize_describe_scaling_activities_response(&output))
}
