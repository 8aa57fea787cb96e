//! The group's template version: what a scale-out starts from now on.

use super::{Done, Scene, called};
use crate::deploy::error::DeployError;

pub(super) async fn set_template(scene: Scene<'_>, version: u64) -> Result<Done, DeployError> {
    scene.context.aws.set_group_template(&scene.record.group, version).await?;
    Ok(called(format!("the group launches version {version}")))
}
