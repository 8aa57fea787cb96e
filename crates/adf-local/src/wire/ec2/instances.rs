//! Instances: the operations.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use winterbaume_ec2_generated::{model as wire, wire as form};

use super::{instance, launch_data};
use crate::model::ec2::{InstanceFilter, RunRequest, StateChange};
use crate::model::templates::TemplateKey;
use crate::model::{ApiError, Instance, InstanceState, Model};
use crate::wire::Request;
use crate::wire::answer::{Answer, malformed, stamp};

/// Instances a page at most.
const PAGE: usize = 1000;

pub(super) fn run(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_run_instances_request(&request.params).map_err(malformed)?;
    let data = launch_data::of_run(&input);
    let run = RunRequest {
        data,
        template: input.launch_template.map(template_choice).transpose()?,
        min: u32::try_from(input.min_count).unwrap_or(0),
        max: u32::try_from(input.max_count).unwrap_or(0),
        subnet_id: input.subnet_id,
        client_token: input.client_token,
    };
    let id = request.model.run_instances(&run, request.now)?;
    let started: Vec<&Instance> = request.model.instances().filter(|it| it.reservation_id == id).collect();
    Ok(form::serialize_run_instances_response(&reservation(request.model, &id, &started)))
}

pub(super) fn describe(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_instances_request(&request.params).map_err(malformed)?;
    let model = &*request.model;
    let ids = input.instance_ids.map(|ids| ids.items).unwrap_or_default();
    let found = model.find_instances(&ids, &filters(input.filters))?;
    let page =
        request.page(found, |it| it.id.clone(), input.next_token.as_deref(), input.max_results, PAGE)?;
    let reservations = page
        .items
        .chunk_by(|a, b| a.reservation_id == b.reservation_id)
        .map(|instances| reservation(model, &instances[0].reservation_id, instances));
    let output =
        wire::DescribeInstancesResult { reservations: Some(reservations.collect()), next_token: page.next };
    Ok(form::serialize_describe_instances_response(&output))
}

pub(super) fn describe_status(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_describe_instance_status_request(&request.params).map_err(malformed)?;
    let ids = input.instance_ids.map(|ids| ids.items).unwrap_or_default();
    let mut found = request.model.find_instances(&ids, &filters(input.filters))?;
    if input.include_all_instances != Some(true) {
        found.retain(|it| it.state == InstanceState::Running);
    }
    let page =
        request.page(found, |it| it.id.clone(), input.next_token.as_deref(), input.max_results, PAGE)?;
    let output = wire::DescribeInstanceStatusResult {
        instance_statuses: Some(page.items.into_iter().map(status).collect()),
        next_token: page.next,
    };
    Ok(form::serialize_describe_instance_status_response(&output))
}

pub(super) fn terminate(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_terminate_instances_request(&request.params).map_err(malformed)?;
    let changes = request.model.terminate_instances(&input.instance_ids.items, request.now)?;
    let change = |change: StateChange| wire::InstanceStateChange {
        instance_id: Some(change.id),
        previous_state: Some(instance::state(change.previous)),
        current_state: Some(instance::state(change.current)),
    };
    let output = wire::TerminateInstancesResult {
        terminating_instances: Some(changes.into_iter().map(change).collect()),
    };
    Ok(form::serialize_terminate_instances_response(&output))
}

pub(super) fn reboot(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_reboot_instances_request(&request.params).map_err(malformed)?;
    request.model.reboot_instances(&input.instance_ids.items)?;
    Ok(form::serialize_reboot_instances_response())
}

pub(super) fn console_output(request: &mut Request<'_>) -> Answer {
    let input = form::deserialize_get_console_output_request(&request.params).map_err(malformed)?;
    let (text, taken_at) = request.model.console_output(&input.instance_id)?;
    let output = wire::GetConsoleOutputResult {
        instance_id: Some(input.instance_id.clone()),
        output: Some(STANDARD.encode(text)),
        timestamp: Some(stamp(taken_at.unwrap_or(request.now))),
    };
    Ok(form::serialize_get_console_output_response(&output))
}

fn template_choice(
    template: wire::LaunchTemplateSpecification,
) -> Result<(TemplateKey, Option<String>), ApiError> {
    let key = match (template.launch_template_id, template.launch_template_name) {
        (Some(id), None) => TemplateKey::Id(id),
        (None, Some(name)) => TemplateKey::Name(name),
        _ => {
            return Err(ApiError::new(
                "InvalidParameterCombination",
                "The launch template must be named by exactly one of its ID and its name",
            ));
        }
    };
    Ok((key, template.version))
}

fn filters(filters: Option<wire::FilterList>) -> Vec<InstanceFilter> {
    let filters = filters.map(|filters| filters.items).unwrap_or_default();
    filters
        .into_iter()
        .map(|filter| {
            let (name, values) = super::filter(filter);
            InstanceFilter { name, values }
        })
        .collect()
}

fn reservation(model: &Model, id: &str, instances: &[&Instance]) -> wire::Reservation {
    wire::Reservation {
        reservation_id: Some(id.to_owned()),
        owner_id: Some(model.settings().account.clone()),
        groups: Some(wire::GroupIdentifierList::default()),
        instances: Some(instances.iter().map(|it| instance::instance(model, it)).collect()),
        ..Default::default()
    }
}

fn status(it: &Instance) -> wire::InstanceStatus {
    let summary = |impaired_since: Option<Timestamp>| {
        let (reachability, summary) = match (it.state, impaired_since) {
            (InstanceState::Running, None) => ("passed", "ok"),
            (InstanceState::Running, Some(_)) => ("failed", "impaired"),
            _ => ("not-applicable", "not-applicable"),
        };
        let details = wire::InstanceStatusDetails {
            name: Some("reachability".to_owned()),
            status: Some(reachability.to_owned()),
            impaired_since: impaired_since.map(stamp),
        };
        Some(wire::InstanceStatusSummary {
            status: Some(summary.to_owned()),
            details: Some(wire::InstanceStatusDetailsList { items: vec![details] }),
        })
    };
    wire::InstanceStatus {
        instance_id: Some(it.id.clone()),
        availability_zone: Some(it.zone.clone()),
        instance_state: Some(instance::state(it.state)),
        instance_status: summary(it.impaired_since),
        // The machine below the instance is never at fault here.
        system_status: summary(None),
        ..Default::default()
    }
}
