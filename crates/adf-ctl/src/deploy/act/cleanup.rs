//! Removing what only the release before used, once it is certain that nobody goes back to it.

use adf_store::{CurrentRelease, Ignored, Signature};
use adf_types::{InstanceId, Outcome};

use super::{Done, Scene, called};
use crate::aws::Lifecycle;
use crate::deploy::error::DeployError;
use crate::deploy::fleet::Fleet;

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
    let leaving = fleet.members.iter().filter(|m| m.lifecycle == Lifecycle::Leaving);
    let leaving: Vec<_> = leaving.map(|m| m.id.clone()).collect();
    let ignored = Ignored { deploy: Some(&record.id), instances: &leaving };
    let why = Some(format!("{} put {} in the place of {from}", record.id, record.to));
    let store = store.clone().signed(Signature { by: record.owner.clone(), why, forced: false });
    let swept = async {
        let plan = store.plan_clean_up(&record.app, Some(from), ignored).await?;
        store.clean_up(&plan).await
    };
    match Box::pin(swept).await {
        Ok(swept) => {
            let cleaned = swept.cleaned.into_iter().flat_map(|(_, names)| names);
            Ok(cleaned.map(|name| format!("{}@{from}/{name}", record.app)).collect())
        }
        // The new release serves on every server. Config that stays does no harm, and trying again changes nothing.
        Err(error) if !error.is_transient() => {
            let app = &record.app;
            scene.context.printer.note(&format!(
                "the config that only {from} used stays: {error}; then clean it up with: adf-config gc -a {app}"
            ));
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}
