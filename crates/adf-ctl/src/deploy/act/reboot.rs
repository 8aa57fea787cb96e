//! Rebooting instances that are out of service.

use adf_types::InstanceId;

use super::{Done, Scene, called};
use crate::deploy::error::DeployError;

pub(super) async fn reboot<'a>(
    scene: Scene<'_>,
    ids: impl Iterator<Item = &'a InstanceId>,
) -> Result<Done, DeployError> {
    let ids: Vec<InstanceId> = ids.cloned().collect();
    match scene.context.aws.reboot(&ids).await {
        Ok(()) => Ok(called(format!("{} were told", ids.len()))),
        // One of them went by itself; the next look tells which.
        Err(error) if error.is_not_found() => Ok(called("some are gone")),
        Err(error) => Err(error.into()),
    }
}
