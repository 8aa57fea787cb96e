//! One look at everything that a decision needs: at most one call each for the group, the targets and the
//! receipts, however many instances there are, and one for the canary while there is one, or two where it has a target
//! group of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_types::{DeployRecord, InstanceId, Receipt, Step};

use super::error::DeployError;
use super::fleet::{Canary, Fleet, Member};
use super::judge::Evidence;
use crate::aws::{CountedGroup, GroupState, MachineState, TargetState};
use crate::context::Context;

/// What does not change while a deploy runs, read once.
#[derive(Debug, Clone)]
pub struct Ground {
    /// `None` for an app without a load balancer.
    pub target_group_arn: Option<String>,
    /// The target group's deregistration delay; the longer one, where the canary has a target group of its own.
    pub drain: Duration,
    pub canary: Option<CanaryGround>,
}

/// The canary's own target group, and what its requests are counted and shared by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CanaryGround {
    pub target_group_arn: String,
    pub balancer_arn: String,
    pub counted: CountedGroup,
    /// The fleet's target group, to compare with.
    pub fleet: CountedGroup,
}

impl Ground {
    /// `canary_target_group` is `deploy.canary_target_group`; one that is gone, or that no load balancer uses, is not
    /// there: a way back goes on without it, and `lookout::ready` refuses a deploy.
    pub async fn survey(
        context: &Context,
        target_group: Option<&str>,
        canary_target_group: Option<&str>,
    ) -> Result<Self, DeployError> {
        let Some(name) = target_group else {
            return Ok(Self { target_group_arn: None, drain: Duration::ZERO, canary: None });
        };
        let group = context.aws.target_group(name).await?;
        let arn = group.ok_or_else(|| DeployError::no_target_group(name))?.arn;
        let mut drain = context.aws.deregistration_delay(&arn).await?;
        let canary = match canary_target_group {
            Some(name) => CanaryGround::survey(context, name, &arn).await?,
            None => None,
        };
        if let Some(canary) = &canary {
            drain = drain.max(context.aws.deregistration_delay(&canary.target_group_arn).await?);
        }
        Ok(Self { target_group_arn: Some(arn), drain, canary })
    }

    /// Where the canary is registered.
    pub fn canary_target_group_arn(&self) -> Option<&str> {
        let own = self.canary.as_ref().map(|canary| canary.target_group_arn.as_str());
        own.or(self.target_group_arn.as_deref())
    }
}

impl CanaryGround {
    async fn survey(context: &Context, name: &str, fleet_arn: &str) -> Result<Option<Self>, DeployError> {
        let Some(group) = context.aws.target_group(name).await? else { return Ok(None) };
        let Some(balancer_arn) = group.balancer_arn else { return Ok(None) };
        let counted = CountedGroup::of(&balancer_arn, &group.arn);
        let fleet = CountedGroup::of(&balancer_arn, fleet_arn);
        Ok(counted.zip(fleet).map(|(counted, fleet)| Self {
            target_group_arn: group.arn,
            balancer_arn,
            counted,
            fleet,
        }))
    }
}

pub async fn observe(
    context: &Context,
    ground: &Ground,
    record: &DeployRecord,
) -> Result<Fleet, DeployError> {
    let (group, targets, canary_target, receipts, machine, requested, current) = tokio::try_join!(
        group(context, &record.group),
        targets(context, ground),
        canary_target(context, ground, record),
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
        target: canary_target.or_else(|| targets.get(id).cloned()),
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
        // The driver looks, not every time.
        evidence: Evidence::default(),
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

/// The canary in a target group of its own.
async fn canary_target(
    context: &Context,
    ground: &Ground,
    record: &DeployRecord,
) -> Result<Option<TargetState>, DeployError> {
    let (Some(canary), Some(id)) = (&ground.canary, &record.progress.canary) else { return Ok(None) };
    Ok(context.aws.target_health(&canary.target_group_arn).await?.remove(id))
}

async fn machine(context: &Context, record: &DeployRecord) -> Result<Option<MachineState>, DeployError> {
    match &record.progress.canary {
        Some(id) => Ok(context.aws.machine(id).await?),
        None => Ok(None),
    }
}
