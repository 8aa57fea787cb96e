//! Auto Scaling's instance refresh: started once, turned back.

use super::{Done, NOT_KNOWN_YET, Scene, called};
use crate::aws::RefreshOrder;
use crate::deploy::error::DeployError;
use crate::deploy::observe;

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
    let group = observe::group(scene.context, &record.group).await?;
    let order = RefreshOrder {
        template_id: group.template_id,
        template_version: version,
        beyond_percent: record.policy.surge.percent(),
        warm_up: scene.ground.first_checks,
        auto_rollback: record.progress.template_version == Some(version),
    };
    match aws.start_refresh(&record.group, &order).await {
        Ok(id) => Ok(called(format!("refresh {id}"))),
        Err(error) if error.is_unknown_version() => Ok(called(NOT_KNOWN_YET)),
        Err(error) if error.is_code(IN_PROGRESS) => Ok(called("a refresh runs already")),
        Err(error) => Err(error.into()),
    }
}

pub(super) async fn turn(scene: Scene<'_>) -> Result<Done, DeployError> {
    match scene.context.aws.roll_back_refresh(&scene.record.group).await {
        Ok(()) => Ok(called("rolling back")),
        Err(error) if error.is_not_found() => Ok(called("over already")),
        Err(error) => Err(error.into()),
    }
}
