//! Turning back: the reason is completed with what AWS knows, and old instances return.

use adf_types::{Cause, InstanceId};

use super::{Done, Scene, called};
use crate::deploy::error::DeployError;
use crate::deploy::launch;
use crate::deploy::record::Change;

/// Where the group launched nothing in time, only its activities know why.
pub(super) async fn turn(scene: Scene<'_>, reason: &str, cause: Cause) -> Result<Done, DeployError> {
    let mut reason = reason.to_owned();
    if cause == Cause::Launch && !reason.contains(launch::MARK) {
        // The way back must not depend on this answer.
        let failures = scene.context.aws.failed_launches(&scene.record.group).await.unwrap_or_default();
        if let Some(failure) = failures.first() {
            reason = format!("{reason}\n  the group's last failed launch: {}", failure.message);
        }
    }
    Ok((Change::TurnedBack(reason, cause), "going back".to_owned()))
}

pub(super) async fn exit_standby(scene: Scene<'_>, ids: &[InstanceId]) -> Result<Done, DeployError> {
    match scene.context.aws.exit_standby(&scene.record.group, ids).await {
        Ok(()) => Ok(called(format!("{} return", ids.len()))),
        Err(error) if error.says("is not in Standby") => Ok(called("some had returned already")),
        Err(error) => Err(error.into()),
    }
}
