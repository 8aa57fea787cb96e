//! The group's maximum size, raised for the time of two fleets.

use adf_types::RaisedMax;

use super::{Done, Scene, called};
use crate::deploy::error::DeployError;
use crate::deploy::record::Change;

pub(super) async fn raise(scene: Scene<'_>, max: RaisedMax) -> Result<Done, DeployError> {
    scene.context.aws.set_max(&scene.record.group, max.to).await?;
    Ok(called(format!("maximum {}", max.to)))
}

pub(super) async fn restore(scene: Scene<'_>, max: RaisedMax) -> Result<Done, DeployError> {
    scene.context.aws.set_max(&scene.record.group, max.to).await?;
    Ok((Change::RestoredMax(max), format!("maximum {}", max.to)))
}
