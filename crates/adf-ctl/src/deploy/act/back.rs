//! Turning back: the reason is completed with what AWS knows, and old instances return.

use adf_types::{InstanceId, Step};

use super::{Done, Scene, called};
use crate::deploy::error::DeployError;
use crate::deploy::plan::BOOT_TIMEOUT;
use crate::deploy::record::Change;

/// A limit that was hit while the group launched instances has a cause that only the group knows.
pub(super) async fn turn(scene: Scene<'_>, reason: &str) -> Result<Done, DeployError> {
    let mut reason = reason.to_owned();
    if scene.record.step == Step::Replace && reason.contains(BOOT_TIMEOUT) {
        // The way back must not depend on this answer.
        if let Ok(Some(cause)) = scene.context.aws.last_launch_failure(&scene.record.group).await {
            reason = format!("{reason}\n  the group's last failed launch: {cause}");
        }
    }
    Ok((Change::TurnedBack(reason), "going back".to_owned()))
}

pub(super) async fn exit_standby(scene: Scene<'_>, ids: &[InstanceId]) -> Result<Done, DeployError> {
    match scene.context.aws.exit_standby(&scene.record.group, ids).await {
        Ok(()) => Ok(called(format!("{} return", ids.len()))),
        Err(error) if error.says("is not in Standby") => Ok(called("some had returned already")),
        Err(error) => Err(error.into()),
    }
}
