//! Rolling back: an open deploy is asked to turn; after its end the previous release is deployed.

use std::time::Duration;

use adf_store::{LEASE, Lock, LockView, StoreError};
use adf_types::{DeployRecord, OperatorRequest, Outcome, Step};
use tokio::time::{Instant, sleep};

use super::drive::{Driver, Seat};
use super::error::DeployError;
use super::fleet::Fleet;
use super::observe::{Ground, observe};
use super::{DeployOptions, Ended, start};
use crate::context::Context;
use crate::settings::AppNames;

const LOOK: Duration = Duration::from_secs(1);

pub async fn run(
    context: &Context,
    names: &AppNames,
    reason: &str,
    seat: &mut Seat,
) -> Result<Ended, DeployError> {
    match context.store.open_deploy(&names.app).await? {
        Some(open) => turn(context, names, open, reason, seat).await,
        None => deploy_previous(context, names, seat).await,
    }
}

/// The release that was current before was judged when it was deployed, so it is not judged again.
async fn deploy_previous(context: &Context, names: &AppNames, seat: &mut Seat) -> Result<Ended, DeployError> {
    let current = context.store.current(&names.app).await?;
    let previous = current.as_ref().and_then(|c| c.previous.clone()).ok_or_else(|| {
        DeployError::refused(
            format!("there is no release before the current one of {}", names.app),
            "see the releases with: adf-ctl release list; deploy any of them with: adf-ctl deploy RELEASE",
        )
    })?;
    seat.view.note(&format!("no deploy is open: deploying {previous}, the release before"));
    let options = DeployOptions { canary: false, alarms: false, ..DeployOptions::of(previous) };
    start::run(context, names, &options, seat).await
}

async fn turn(
    context: &Context,
    names: &AppNames,
    open: DeployRecord,
    reason: &str,
    seat: &mut Seat,
) -> Result<Ended, DeployError> {
    if open.step == Step::Cleanup {
        return Err(DeployError::refused(
            format!(
                "deploy {} of {} is in its clean-up: the old instances are being terminated",
                open.id, open.to
            ),
            format!(
                "let it end (adf-ctl deploy {} goes on if nobody drives it), then: adf-ctl rollback",
                open.to
            ),
        ));
    }
    let owner = context.aws.identity().await?;
    let request = OperatorRequest::Rollback { by: owner.clone(), reason: reason.to_owned() };
    context.store.request(&names.app, &open.id, &request).await?;
    seat.view.note(&format!("asked deploy {} of {} to turn back", open.id, open.to));
    let canary_target_group = open.policy.judging.canary_target_group.as_deref();
    let ground = Ground::survey(context, names.target_group.as_deref(), canary_target_group).await?;
    let ended = loop {
        match follow(context, &ground, &open, &owner, seat).await? {
            Followed::Ended(record, fleet) => break (record, fleet),
            Followed::Driverless(lock) => {
                if let Some(ended) = drive(context, names, &ground, lock, &open, &owner, seat).await? {
                    break ended;
                }
            }
        }
    };
    let (record, fleet) = ended;
    if record.outcome == Some(Outcome::Succeeded) {
        seat.view.note("the deploy had ended before it could turn back");
        return deploy_previous(context, names, seat).await;
    }
    Ok(Ended::Closed { record, fleet })
}

/// Drives the open deploy back; `None` when it was closed just before the lock became ours.
async fn drive(
    context: &Context,
    names: &AppNames,
    ground: &Ground,
    lock: Lock,
    open: &DeployRecord,
    owner: &str,
    seat: &mut Seat,
) -> Result<Option<(Box<DeployRecord>, Box<Fleet>)>, DeployError> {
    let release = start::find_release(context, names, &open.to).await;
    let record = context.store.deploy(&names.app, &open.id).await.map_err(DeployError::from);
    let (release, record) = match (release, record) {
        (Ok(release), Ok(record)) => (release, record.filter(DeployRecord::is_open)),
        (Err(error), _) | (_, Err(error)) => return start::give_back(context, lock, error).await,
    };
    let Some(record) = record else {
        context.store.free_lock(lock).await?;
        return Ok(None);
    };
    let record = start::go_on(record, owner, seat);
    let driver = Driver::new(context, ground.clone(), release, lock, record, seat);
    let (record, fleet) = Box::pin(driver.drive()).await?;
    Ok(Some((Box::new(record), Box::new(fleet))))
}

enum Followed {
    Ended(Box<DeployRecord>, Box<Fleet>),
    /// Nobody drives: the lock is ours.
    Driverless(Lock),
}

/// Watches whoever drives; takes the lock when it is free, or has stood still for a lease.
async fn follow(
    context: &Context,
    ground: &Ground,
    open: &DeployRecord,
    owner: &str,
    seat: &mut Seat,
) -> Result<Followed, DeployError> {
    let mut seen: Option<(LockView, Instant)> = None;
    loop {
        let record = context.store.deploy(&open.app, &open.id).await?.unwrap_or_else(|| open.clone());
        if !record.is_open() {
            let fleet = Box::pin(observe(context, ground, &record)).await?;
            return Ok(Followed::Ended(Box::new(record), Box::new(fleet)));
        }
        seat.view.follow(&record);
        let abandoned = match (context.store.lock(&open.app).await?, &seen) {
            (None, _) => Some(None),
            (Some(now), Some((before, since))) if now == *before => {
                (since.elapsed() >= LEASE).then_some(Some(now))
            }
            (Some(now), _) => {
                seen = Some((now, Instant::now()));
                None
            }
        };
        if let Some(over) = abandoned {
            match context.store.take_lock(&open.app, owner, over.as_ref()).await {
                Ok(lock) => return Ok(Followed::Driverless(lock)),
                // Somebody was faster, and drives now.
                Err(StoreError::LockHeld { .. }) => seen = None,
                Err(error) => return Err(error.into()),
            }
        }
        tokio::select! {
            () = sleep(LOOK) => {}
            () = seat.stop.asked() => return Err(DeployError::Interrupted(Box::new(record))),
        }
    }
}
