//! The canary: one instance outside the group, found again by its tags.

use std::collections::BTreeMap;

use adf_types::{CanaryTraffic, DeployRecord, InstanceId, Verdict};

use super::{Done, NOT_KNOWN_YET, Scene, called};
use crate::aws::{AwsError, CanaryLaunch, SharedRule};
use crate::deploy::error::DeployError;
use crate::deploy::observe;
use crate::deploy::record::Change;

/// Another availability zone may have what this one lacks, see "Troubleshoot instance launch issues".
const NO_CAPACITY: &str = "InsufficientInstanceCapacity";

pub(super) async fn launch(scene: Scene<'_>) -> Result<Done, DeployError> {
    let (aws, record) = (&scene.context.aws, scene.record);
    if let Some(canary) = launched(scene).await? {
        let words = format!("{canary} was launched before");
        return Ok((Change::Canary(canary), words));
    }
    let group = observe::group(scene.context, &record.group).await?;
    let mut subnets = group.subnets.into_iter().map(Some).collect::<Vec<_>>();
    if subnets.is_empty() {
        subnets.push(None);
    }
    let mut refusal = None;
    for subnet in subnets {
        match aws.launch_instance(&order(record, &group.template_id, subnet)).await {
            Ok(canary) => {
                let words = format!("{canary} launched");
                return Ok((Change::Canary(canary), words));
            }
            Err(error) if error.is_code(NO_CAPACITY) => refusal = Some(error),
            Err(error) if error.is_unknown_version() => return Ok(called(NOT_KNOWN_YET)),
            Err(error) => return Err(error.into()),
        }
    }
    Err(refusal.map_or_else(|| DeployError::no_group(&record.group), DeployError::from))
}

pub(super) async fn find(scene: Scene<'_>) -> Result<Done, DeployError> {
    Ok(match launched(scene).await? {
        Some(canary) => {
            let words = format!("{canary} was launched");
            (Change::Canary(canary), words)
        }
        None => called("none was launched"),
    })
}

/// The canary of this deploy, if EC2 shows one: found by its tags.
async fn launched(scene: Scene<'_>) -> Result<Option<InstanceId>, DeployError> {
    let tags = [("adf:deploy", scene.record.id.as_str()), ("adf:role", "canary")];
    Ok(scene.context.aws.instances_tagged(&tags).await?.into_iter().next())
}

fn order(record: &DeployRecord, template_id: &str, subnet: Option<String>) -> CanaryLaunch {
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    CanaryLaunch {
        template_id: template_id.to_owned(),
        template_version: record.progress.template_version.unwrap_or_default(),
        client_token: record.id.to_string(),
        subnet,
        tags: BTreeMap::from([
            tag("Name", &format!("{} canary", record.app)),
            tag("adf:app", record.app.as_str()),
            tag("adf:release", record.to.as_str()),
            tag("adf:deploy", record.id.as_str()),
            tag("adf:role", "canary"),
        ]),
    }
}

pub(super) async fn register(scene: Scene<'_>, id: &InstanceId) -> Result<Done, DeployError> {
    if let Some(arn) = scene.ground.canary_target_group_arn() {
        scene.context.aws.register_target(arn, id).await?;
    }
    Ok(called("registered"))
}

/// The canary gets what each instance of the fleet gets.
pub(super) async fn start_traffic(scene: Scene<'_>) -> Result<Done, DeployError> {
    let fleet = scene.record.progress.old.len().max(1);
    let share = |weight: u32| weight / u32::try_from(fleet).unwrap_or(u32::MAX);
    let rules = weigh(scene, |rule| share(rule.fleet_weight).max(1)).await?;
    let words = format!("one of {} requests, in {rules} rules", fleet + 1);
    Ok((Change::CanaryTraffic(CanaryTraffic::Since(scene.now)), words))
}

pub(super) async fn end_traffic(scene: Scene<'_>) -> Result<Done, DeployError> {
    let rules = weigh(scene, |_| 0).await?;
    Ok((Change::CanaryTraffic(CanaryTraffic::Ended), format!("none, in {rules} rules")))
}

/// Sets the canary's weight in every rule that it shares with the fleet, where it is another.
async fn weigh(scene: Scene<'_>, weight: impl Fn(&SharedRule) -> u32) -> Result<usize, DeployError> {
    let (Some(canary), Some(fleet)) = (&scene.ground.canary, &scene.ground.target_group_arn) else {
        return Ok(0);
    };
    let (aws, arn) = (&scene.context.aws, &canary.target_group_arn);
    let rules = aws.shared_rules(&canary.balancer_arn, fleet, arn).await?;
    for rule in &rules {
        let weight = weight(rule);
        if rule.canary_weight != weight {
            aws.set_canary_weight(rule, arn, weight).await?;
        }
    }
    Ok(rules.len())
}

pub(super) fn judged(verdict: &Verdict) -> Done {
    (Change::Judged(verdict.clone()), verdict.to_string())
}

pub(super) async fn deregister(scene: Scene<'_>, id: &InstanceId) -> Result<Done, DeployError> {
    if let Some(arn) = scene.ground.canary_target_group_arn() {
        scene.context.aws.deregister_target(arn, id).await?;
    }
    Ok(called("deregistered"))
}

pub(super) async fn terminate(scene: Scene<'_>, id: &InstanceId) -> Result<Done, DeployError> {
    match scene.context.aws.terminate_instance(id).await {
        Ok(()) => Ok(called("terminating")),
        Err(AwsError::NotFound { .. }) => Ok(called("gone already")),
        Err(error) => Err(error.into()),
    }
}
