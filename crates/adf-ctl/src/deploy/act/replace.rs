//! Growing the group, and taking old instances out of service.

use adf_types::InstanceId;

use super::{Done, Scene, called};
use crate::deploy::error::DeployError;

pub(super) async fn set_desired(scene: Scene<'_>, instances: u32) -> Result<Done, DeployError> {
    scene.context.aws.set_desired(&scene.record.group, instances).await?;
    Ok(called(format!("desired capacity {instances}")))
}

pub(super) async fn enter_standby(scene: Scene<'_>, ids: &[InstanceId]) -> Result<Done, DeployError> {
    match scene.context.aws.enter_standby(&scene.record.group, ids).await {
        Ok(()) => Ok(called(format!("{} on their way", ids.len()))),
        // The next look tells which of them are still to go.
        Err(error) if error.says("is not in InService") => Ok(called("some were on their way already")),
        Err(error) => Err(error.into()),
    }
}
