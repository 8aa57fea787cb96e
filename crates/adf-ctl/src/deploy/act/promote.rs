//! The group's template version: what a scale-out starts from now on.

use super::{Done, Scene, called};
use crate::deploy::error::DeployError;
use crate::deploy::observe;

pub(super) async fn set_template(scene: Scene<'_>, version: u64) -> Result<Done, DeployError> {
    let group = observe::group(scene.context, &scene.record.group).await?;
    scene.context.aws.set_group_template(&group.name, &group.template_id, version).await?;
    Ok(called(format!("the group launches version {version}")))
}
