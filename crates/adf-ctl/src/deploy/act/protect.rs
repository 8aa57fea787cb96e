//! Protection from scale-in, given and taken back.

use adf_types::InstanceId;

use super::{Done, Scene, called};
use crate::deploy::error::DeployError;
use crate::deploy::record::Change;

pub(super) async fn begin(scene: Scene<'_>, ids: &[InstanceId]) -> Result<Done, DeployError> {
    let words = set(scene, ids, true).await?;
    Ok(called(words))
}

pub(super) async fn end(scene: Scene<'_>, ids: &[InstanceId]) -> Result<Done, DeployError> {
    let words = set(scene, ids, false).await?;
    Ok((Change::Unprotected(ids.to_vec()), words))
}

async fn set(scene: Scene<'_>, ids: &[InstanceId], protected: bool) -> Result<String, DeployError> {
    match scene.context.aws.protect(&scene.record.group, ids, protected).await {
        Ok(()) => Ok(format!("{} instances", ids.len())),
        // One of them is on its way out, which no protection holds back.
        Err(error) if error.says("is not in InService") || error.says("not found") => {
            Ok("some are on their way out".to_owned())
        }
        Err(error) => Err(error.into()),
    }
}
