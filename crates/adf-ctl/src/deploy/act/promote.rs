//! The group's template version: what a scale-out starts from now on.

use super::{Done, NOT_KNOWN_YET, Scene, called};
use crate::deploy::error::DeployError;

pub(super) async fn set_template(scene: Scene<'_>, version: u64) -> Result<Done, DeployError> {
    match scene.context.aws.set_group_template(&scene.record.group, version).await {
        Ok(()) => Ok(called(format!("the group launches version {version}"))),
        Err(error) if error.is_unknown_version() => Ok(called(NOT_KNOWN_YET)),
        Err(error) => Err(error.into()),
    }
}
