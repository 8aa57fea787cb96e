//! The group's sizes: the maximum, raised for the time of two fleets, and the minimum, lowered while some of one are
//! out of service.

use adf_types::{LoweredMin, RaisedMax};

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

pub(super) async fn lower_min(scene: Scene<'_>, min: LoweredMin) -> Result<Done, DeployError> {
    scene.context.aws.set_min(&scene.record.group, min.to).await?;
    Ok(called(format!("minimum {}", min.to)))
}

pub(super) async fn restore_min(scene: Scene<'_>, min: LoweredMin) -> Result<Done, DeployError> {
    scene.context.aws.set_min(&scene.record.group, min.from).await?;
    Ok((Change::RestoredMin, format!("minimum {}", min.from)))
}
