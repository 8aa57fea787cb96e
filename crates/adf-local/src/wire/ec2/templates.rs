//! Launch templates: the operations.

use winterbaume_ec2_generated::{model as wire, wire as form};

use super::{launch_data, template};
use crate::model::templates::{
    DeletedVersion, LaunchTemplate, NewTemplate, NewVersion, TemplateKey, TemplateVersion,
};
use crate::model::{ApiError, Model};
use crate::wire::Request;
use crate::wire::answer::{Answer, malformed};

/// Templates and versions a page at most.
const PAGE: usize = 200;

pub(super) fn create(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_create_launch_template_request(&request.params).map_err(malformed)?;
    let own_tags = launch_data::tag_specifications(input.tag_specifications)
        .into_iter()
        .filter(|spec| spec.resource_type == "launch-template");
    let new = NewTemplate {
        name: input.launch_template_name,
        description: input.version_description,
        data: launch_data::of_template(input.launch_template_data),
        tags: own_tags.flat_map(|spec| spec.tags).collect(),
        client_token: input.client_token,
    };
    let id = request.model.create_template(new, request.now)?;
    let launch_template = Some(described(request.model, &TemplateKey::Id(id))?);
    let output = wire::CreateLaunchTemplateResult { launch_template, ..Default::default() };
    Ok(form::serialize_create_launch_template_response(&output))
}

pub(super) fn create_version(request: &mut Request<'_>) -> Answer {
    let input =
        form::deserialize_create_launch_template_version_request(&request.params).map_err(malformed)?;
    let new = NewVersion {
        template: key(input.launch_template_id, input.launch_template_name)?,
        source: input.source_version,
        description: input.version_description,
        data: launch_data::of_template(input.launch_template_data),
        client_token: input.client_token,
    };
    let (id, number) = request.model.create_template_version(new, request.now)?;
    let key = TemplateKey::Id(id);
    let (owner, version) = request.model.template_version(&key, Some(&number.to_string()))?;
    let version = template::version(request.model, owner, version);
    let output = wire::CreateLaunchTemplateVersionResult {
        launch_template_version: Some(version),
        ..Default::default()
    };
    Ok(form::serialize_create_launch_template_version_response(&output))
}

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_launch_templates_request(&request.params).map_err(malformed)?;
    let model = &*request.model;
    let ids = input.launch_template_ids.map(|ids| ids.items).unwrap_or_default();
    let names = input.launch_template_names.map(|names| names.items).unwrap_or_default();
    let keys = ids.into_iter().map(TemplateKey::Id).chain(names.into_iter().map(TemplateKey::Name));
    let keys: Vec<TemplateKey> = keys.collect();
    let mut found: Vec<&LaunchTemplate> = if keys.is_empty() {
        model.launch_templates().collect()
    } else {
        keys.iter().map(|key| model.template(key)).collect::<Result<_, _>>()?
    };
    for filter in input.filters.map(|filters| filters.items).unwrap_or_default() {
        let (name, values) = super::filter(filter);
        found.retain(|template| {
            let held = match name.as_str() {
                "launch-template-name" => Some(&template.name),
                name => name.strip_prefix("tag:").and_then(|key| template.tags.get(key)),
            };
            held.is_some_and(|held| values.contains(held))
        });
    }
    let page =
        request.page(found, |it| it.id.clone(), input.next_token.as_deref(), input.max_results, PAGE)?;
    let output = wire::DescribeLaunchTemplatesResult {
        launch_templates: Some(page.items.into_iter().map(|it| template::template(model, it)).collect()),
        next_token: page.next,
    };
    Ok(form::serialize_describe_launch_templates_response(&output))
}

pub(super) fn describe_versions(request: &mut Request<'_>) -> Answer {
    let input =
        form::deserialize_describe_launch_template_versions_request(&request.params).map_err(malformed)?;
    let model = &*request.model;
    let wanted = input.versions.map(|versions| versions.items).unwrap_or_default();
    let found = match key(input.launch_template_id, input.launch_template_name) {
        Ok(key) => versions_of(model, &key, &wanted)?,
        // Without a template, only $Latest and $Default of all templates can be asked for.
        Err(_) if wanted.iter().any(|version| version.starts_with('$')) => {
            let mut all = Vec::new();
            for template in model.launch_templates() {
                all.extend(versions_of(model, &TemplateKey::Id(template.id.clone()), &wanted)?);
            }
            all
        }
        Err(error) => return Err(error),
    };
    let at_least = input.min_version.and_then(|version| version.parse().ok()).unwrap_or(0);
    let at_most = input.max_version.and_then(|version| version.parse().ok()).unwrap_or(u64::MAX);
    let in_range = found.into_iter().filter(|(_, version)| (at_least..=at_most).contains(&version.number));
    let page = request.page(
        in_range.collect(),
        |(owner, version)| format!("{}/{}", owner.id, version.number),
        input.next_token.as_deref(),
        input.max_results,
        PAGE,
    )?;
    let version =
        |(owner, version): (&LaunchTemplate, &TemplateVersion)| template::version(model, owner, version);
    let output = wire::DescribeLaunchTemplateVersionsResult {
        launch_template_versions: Some(page.items.into_iter().map(version).collect()),
        next_token: page.next,
    };
    Ok(form::serialize_describe_launch_template_versions_response(&output))
}

pub(super) fn modify(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_modify_launch_template_request(&request.params).map_err(malformed)?;
    let key = key(input.launch_template_id, input.launch_template_name)?;
    let version = input.default_version.ok_or_else(|| ApiError::missing("SetDefaultVersion"))?;
    let id = request.model.set_default_template_version(&key, &version)?;
    let launch_template = Some(described(request.model, &TemplateKey::Id(id))?);
    Ok(form::serialize_modify_launch_template_response(&wire::ModifyLaunchTemplateResult { launch_template }))
}

pub(super) fn delete(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_delete_launch_template_request(&request.params).map_err(malformed)?;
    let key = key(input.launch_template_id, input.launch_template_name)?;
    let launch_template = Some(described(request.model, &key)?);
    request.model.delete_template(&key)?;
    Ok(form::serialize_delete_launch_template_response(&wire::DeleteLaunchTemplateResult { launch_template }))
}

pub(super) fn delete_versions(request: &mut Request<'_>) -> Answer {
    let input =
        form::deserialize_delete_launch_template_versions_request(&request.params).map_err(malformed)?;
    let key = key(input.launch_template_id, input.launch_template_name)?;
    let numbers: Vec<u64> = input.versions.items.iter().filter_map(|version| version.parse().ok()).collect();
    let (id, name) = {
        let template = request.model.template(&key)?;
        (Some(template.id.clone()), Some(template.name.clone()))
    };
    let outcomes = request.model.delete_template_versions(&key, &numbers)?;
    let (deleted, kept): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|outcome| outcome.error.is_none());
    let success = |outcome: &DeletedVersion| wire::DeleteLaunchTemplateVersionsResponseSuccessItem {
        launch_template_id: id.clone(),
        launch_template_name: name.clone(),
        version_number: Some(template::number(outcome.number)),
    };
    let failure = |outcome: &DeletedVersion| wire::DeleteLaunchTemplateVersionsResponseErrorItem {
        launch_template_id: id.clone(),
        launch_template_name: name.clone(),
        version_number: Some(template::number(outcome.number)),
        response_error: outcome.error.as_ref().map(|error| wire::ResponseError {
            code: Some(error.code.to_owned()),
            message: Some(error.message.clone()),
        }),
    };
    let output = wire::DeleteLaunchTemplateVersionsResult {
        successfully_deleted_launch_template_versions: Some(deleted.iter().map(success).collect()),
        unsuccessfully_deleted_launch_template_versions: Some(kept.iter().map(failure).collect()),
    };
    Ok(form::serialize_delete_launch_template_versions_response(&output))
}

/// The template's versions named, or all of them, newest first as AWS lists them.
fn versions_of<'a>(
    model: &'a Model,
    key: &TemplateKey,
    wanted: &[String],
) -> Result<Vec<(&'a LaunchTemplate, &'a TemplateVersion)>, ApiError> {
    if wanted.is_empty() {
        let template = model.template(key)?;
        return Ok(template.versions.values().rev().map(|version| (template, version)).collect());
    }
    wanted.iter().map(|version| model.template_version(key, Some(version))).collect()
}

fn described(model: &Model, key: &TemplateKey) -> Result<wire::LaunchTemplate, ApiError> {
    Ok(template::template(model, model.template(key)?))
}

fn key(id: Option<String>, name: Option<String>) -> Result<TemplateKey, ApiError> {
    match (id, name) {
        (Some(id), None) => Ok(TemplateKey::Id(id)),
        (None, Some(name)) => Ok(TemplateKey::Name(name)),
        (None, None) => Err(ApiError::missing("LaunchTemplateId or LaunchTemplateName")),
        (Some(_), Some(_)) => Err(ApiError::new(
            "InvalidParameterCombination",
            "You can specify either LaunchTemplateId or LaunchTemplateName, but not both",
        )),
    }
}
