//! One look at everything that a decision needs: at most one call each for the group, the targets and the
//! receipts, however many instances there are, and one for the canary while there is one.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_types::{DeployRecord, InstanceId, Receipt, Step};

use super::error::DeployError;
use super::fleet::{Canary, Fleet, Member};
use crate::aws::{GroupState, MachineState, TargetState};
use crate::context::Context;

/// What does not change while a deploy runs, read once.
#[derive(Debug, Clone)]
pub struct Ground {
    /// `None` for an app without a load balancer.
    pub target_group_arn: Option<String>,
    /// The target group's deregistration delay.
    pub drain: Duration,
}

impl Ground {
    pub async fn survey(context: &Context, target_group: Option<&str>) -> Result<Self, DeployError> {
        let Some(name) = target_group else {
            return Ok(Self { target_group_arn: None, drain: Duration::ZERO });
        };
        let group = context.aws.target_group(name).await?;
        let arn = group.ok_or_else(|| DeployError::no_target_group(name))?.arn;
        let drain = context.aws.deregistration_delay(&arn).await?;
        Ok(Self { target_group_arn: Some(arn), drain })
    }
}

pub async fn observe(
    context: &Context,
    ground: &Ground,
    record: &DeployRecord,
) -> Result<Fleet, DeployError> {
    let (group, targets, receipts, machine, requested, current) = tokio::try_join!(
        group(context, &record.group),
        targets(context, ground),
        async { Ok::<_, DeployError>(context.store.receipts(&record.app).await?) },
        machine(context, record),
        async { Ok(context.store.requested(&record.app, &record.id).await?) },
        async {
            let ending = record.step == Step::Cleanup;
            Ok(if ending { context.store.current(&record.app).await? } else { None })
        },
    )?;
    let mut receipts: BTreeMap<InstanceId, Receipt> =
        receipts.into_iter().map(|r| (r.instance.clone(), r)).collect();
    let members = group.members.into_iter().map(|m| Member {
        target: targets.get(&m.id).cloned(),
        receipt: receipts.remove(&m.id),
        id: m.id,
        lifecycle: m.lifecycle,
        template_version: m.template_version,
    });
    let members = members.collect();
    let canary = record.progress.canary.as_ref().map(|id| Canary {
        id: id.clone(),
        machine,
        target: targets.get(id).cloned(),
        receipt: receipts.get(id).cloned(),
    });
    Ok(Fleet {
        desired: group.desired,
        min: group.min,
        max: group.max,
        template_version: group.template_version.number(),
        balanced: ground.target_group_arn.is_some(),
        drain: ground.drain,
        members,
        canary,
        gone: receipts.into_values().collect(),
        requested,
        current,
    })
}

/// The group; that it vanished is an error nobody can plan around.
pub async fn group(context: &Context, name: &str) -> Result<GroupState, DeployError> {
    context.aws.group(name).await?.ok_or_else(|| DeployError::no_group(name))
}

async fn targets(
    context: &Context,
    ground: &Ground,
) -> Result<BTreeMap<InstanceId, TargetState>, DeployError> {
    match &ground.target_group_arn {
        Some(arn) => Ok(context.aws.target_health(arn).await?),
        None => Ok(BTreeMap::new()),
    }
}

async fn machine(context: &Context, record: &DeployRecord) -> Result<Option<MachineState>, DeployError> {
    match &record.progress.canary {
        Some(id) => Ok(context.aws.machine(id).await?),
        None => Ok(None),
    }
}
