//! Auto Scaling's instance refresh: started once, turned back.

use adf_types::Surge;

use super::{Done, NOT_KNOWN_YET, Scene, called};
use crate::aws::RefreshOrder;
use crate::deploy::error::DeployError;

/// What AWS calls a refresh that is there already.
const IN_PROGRESS: &str = "InstanceRefreshInProgress";

pub(super) async fn start(scene: Scene<'_>, version: u64) -> Result<Done, DeployError> {
    let (aws, record) = (&scene.context.aws, scene.record);
    // The answer to an earlier attempt may have been lost, and there must never be two.
    let latest = aws.latest_refresh(&record.group).await?;
    if let Some(latest) = latest.filter(|r| r.status.is_active()) {
        if latest.template_version == Some(version) {
            return Ok(called(format!("refresh {} runs already", latest.id)));
        }
        return Err(DeployError::foreign_refresh(&record.group, &latest.id));
    }
    match aws.start_refresh(&record.group, &order(scene, version)).await {
        Ok(id) => Ok(called(format!("refresh {id}"))),
        Err(error) if error.is_unknown_version() => Ok(called(NOT_KNOWN_YET)),
        Err(error) if error.is_code(IN_PROGRESS) => Ok(called("a refresh runs already")),
        Err(error) => Err(error.into()),
    }
}

/// Forward with checkpoints, so that a bad release shows before the whole fleet has it; if the refresh fails while nobody
/// drives, AWS itself takes it back. On the way back nothing is tried out any more, and it ends where it ends: rolled back,
/// it would bring the bad release again.
fn order(scene: Scene<'_>, version: u64) -> RefreshOrder {
    let policy = &scene.record.policy;
    let forward = scene.record.progress.template_version == Some(version);
    let pauses = if forward { policy.checkpoints.of(scene.record.progress.capacity) } else { Vec::new() };
    let percentages = pauses.iter().map(|checkpoint| checkpoint.share.percent());
    // A last one below 100 would be where the refresh ends, with success.
    let whole = (!pauses.is_empty()).then_some(Surge::ALL.percent());
    RefreshOrder {
        template_version: version,
        beyond_percent: policy.surge.percent(),
        warm_up: scene.ground.first_checks,
        auto_rollback: forward,
        checkpoints: percentages.chain(whole).collect(),
        checkpoint_delay: policy.checkpoint_delay,
    }
}

pub(super) async fn turn(scene: Scene<'_>) -> Result<Done, DeployError> {
    match scene.context.aws.roll_back_refresh(&scene.record.group).await {
        Ok(()) => Ok(called("rolling back")),
        Err(error) if error.is_not_found() => Ok(called("over already")),
        Err(error) => Err(error.into()),
    }
}
