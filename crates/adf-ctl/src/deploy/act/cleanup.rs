//! Removing what only the release before used, once it is certain that nobody goes back to it.

use adf_store::{CurrentRelease, Signature};
use adf_types::{InstanceId, Outcome};

use super::{Done, Scene, called};
use crate::aws::Lifecycle;
use crate::deploy::error::DeployError;
use crate::deploy::fleet::{Fleet, Member};

pub(super) async fn set_current(scene: Scene<'_>) -> Result<Done, DeployError> {
    let record = scene.record;
    let there = scene.context.store.current(&record.app).await?;
    let previous = match there {
        Some(c) if c.current == record.to => c.previous,
        Some(c) => Some(c.current),
        None => record.from.clone(),
    };
    let current = CurrentRelease { current: record.to.clone(), previous };
    scene.context.store.set_current(scene.lock, &current).await?;
    Ok(called(format!("{} is current", record.to)))
}

pub(super) async fn terminate(
    scene: Scene<'_>,
    ids: &[InstanceId],
    decrement: bool,
) -> Result<Done, DeployError> {
    for id in ids {
        match scene.context.aws.terminate_member(id, decrement).await {
            Ok(()) => {}
            // "Instance Id not found": it went by itself.
            Err(error) if error.is_not_found() || error.says("not found") => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(called(format!("{} terminating", ids.len())))
}

/// What is left to remove when a deploy closes; answers the config that left the live set.
///
/// After success: the Overlay of the release before, unless an instance still runs it, and the receipts of
/// instances that are gone. After a failure nothing: it tells what happened.
pub async fn finish(scene: Scene<'_>, fleet: &Fleet, outcome: &Outcome) -> Result<Vec<String>, DeployError> {
    let (record, store) = (scene.record, &scene.context.store);
    if *outcome != Outcome::Succeeded {
        return Ok(Vec::new());
    }
    for receipt in fleet.gone.iter().filter(|r| r.deploy.is_some()) {
        store.delete_receipt(&record.app, &receipt.instance).await?;
    }
    let Some(from) = record.from.as_ref().filter(|from| **from != record.to) else { return Ok(Vec::new()) };
    let leaving = |m: &&Member| m.lifecycle == Lifecycle::Leaving;
    let runs_it = |m: &Member| m.receipt.as_ref().is_some_and(|r| r.release == *from);
    if fleet.members.iter().filter(|m| !leaving(m)).any(runs_it) {
        return Ok(Vec::new());
    }
    let why = Some(format!("{} put {} in the place of {from}", record.id, record.to));
    let store = store.clone().signed(Signature { by: record.owner.clone(), why });
    let cleaned = store.clean_overlay(&record.app, from).await?;
    Ok(cleaned.into_iter().map(|name| format!("{}@{from}/{name}", record.app)).collect())
}
