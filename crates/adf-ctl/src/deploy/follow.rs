//! Following the deploy that is open, wherever it is driven; and driving it when nobody does.

use std::time::Duration;

use adf_store::{LEASE, Lock, LockView, StoreError};
use adf_types::DeployRecord;
use tokio::time::{Instant, sleep};

use super::drive::{Driver, Seat};
use super::error::DeployError;
use super::fleet::Fleet;
use super::observe::{Ground, Observer};
use super::start;
use crate::context::Context;
use crate::settings::AppNames;

/// Between two looks at somebody else's deploy.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// The deploy that is open, or a refusal.
pub(super) async fn open(context: &Context, names: &AppNames) -> Result<DeployRecord, DeployError> {
    context.store.open_deploy(&names.app).await?.ok_or_else(|| {
        DeployError::refused(
            format!("no deploy of {} is open", names.app),
            "see the last ones with: adf-ctl history; begin one with: adf-ctl deploy RELEASE",
        )
    })
}

/// Until the deploy is over, whoever drives it. Answers the closed record and the fleet as it was then.
pub(super) async fn to_the_end(
    context: &Context,
    names: &AppNames,
    open: &DeployRecord,
    owner: &str,
    seat: &mut Seat,
) -> Result<(Box<DeployRecord>, Box<Fleet>), DeployError> {
    let canary_target_group = open.policy.judging.canary_target_group.as_deref();
    let ground = Ground::survey(context, names.target_group.as_deref(), canary_target_group).await?;
    loop {
        match follow(context, &ground, open, owner, seat).await? {
            Followed::Ended(record, fleet) => return Ok((record, fleet)),
            Followed::Driverless(lock) => {
                if let Some(ended) = drive(context, names, &ground, lock, open, owner, seat).await? {
                    return Ok(ended);
                }
            }
        }
    }
}

/// Drives the open deploy; `None` when it was closed just before the lock became ours.
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
    let driver = Driver::new(context, ground, release, lock, record, seat);
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
            let fleet = Box::pin(Observer::new(context, ground).look(&record)).await?;
            return Ok(Followed::Ended(Box::new(record), Box::new(fleet)));
        }
        seat.view.follow(&record);
        let abandoned = match (context.store.lock(&open.app).await?, &seen) {
            (None, _) => Some(None),
            (Some(now), Some((before, since))) if now == *before => {
                (since.elapsed() >= LEASE).then_some(Some(now))
            }
            (Some(now), before) => {
                if before.is_none() {
                    seat.view.note(&driven(&now));
                }
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

/// Why nothing seems to happen for up to a lease.
fn driven(lock: &LockView) -> String {
    format!(
        "{} drives it, or did: following, and driving it once the lock stands still for {} s",
        lock.owner,
        LEASE.as_secs()
    )
}
