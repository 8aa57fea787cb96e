//! Beginning a deploy, or going on with one that nobody drives.

use adf_types::{DeployRecord, ReleaseName, ReleaseRecord};

use super::drive::{Driver, Seat};
use super::error::DeployError;
use super::observe::Ground;
use super::preflight::{self, Preflight};
use super::restorable::Restorable;
use super::{DeployOptions, Ended, lock, lookout, record};
use crate::context::Context;
use crate::settings::AppNames;

/// Deploys a release, from preflight to clean-up; or goes on with the open deploy of the same release.
pub async fn run(
    context: &Context,
    names: &AppNames,
    options: &DeployOptions,
    seat: &mut Seat,
) -> Result<Ended, DeployError> {
    let release = find_release(context, names, &options.release).await?;
    let open = context.store.open_deploy(&names.app).await?;
    if let Some(open) = open.as_ref().filter(|o| o.to != options.release || o.is_restart()) {
        return Err(refuse_other(context, names, open).await?);
    }
    let owner = context.aws.identity().await?;
    let judging = options.judging(&context.settings.file.deploy);
    // An open deploy goes on as it began.
    let judging = open.as_ref().map_or(&judging, |open| &open.policy.judging);
    let canary_target_group = judging.canary_target_group.as_deref();
    let ground = Ground::survey(context, names.target_group.as_deref(), canary_target_group).await?;
    let lock = lock::take(context, &names.app, &owner, open.as_ref(), &mut seat.view).await?;
    let record = match prepare(context, names, options, &release, &ground, &owner, seat).await {
        Ok(Prepared::Open(record)) => *record,
        Ok(Prepared::Serving(instances)) => {
            context.store.free_lock(lock).await?;
            return Ok(Ended::Serving { release: options.release.clone(), instances });
        }
        Err(error) => return give_back(context, lock, error).await,
    };
    let driver = Driver::new(context, &ground, release, lock, record, seat);
    let (record, fleet) = Box::pin(driver.drive()).await?;
    Ok(Ended::Closed { record: Box::new(record), fleet: Box::new(fleet) })
}

enum Prepared {
    /// The deploy to drive: a new one, or one to go on with.
    Open(Box<DeployRecord>),
    /// The release serves already, on so many instances.
    Serving(u32),
}

/// With the lock held: what there is to drive.
async fn prepare(
    context: &Context,
    names: &AppNames,
    options: &DeployOptions,
    release: &ReleaseRecord,
    ground: &Ground,
    owner: &str,
    seat: &mut Seat,
) -> Result<Prepared, DeployError> {
    // Read again: only now can nobody else write it.
    match context.store.open_deploy(&names.app).await? {
        Some(open) if open.to == options.release && !open.is_restart() => {
            return Ok(Prepared::Open(Box::new(go_on(open, owner, seat))));
        }
        Some(open) => return Err(DeployError::refused(open_already(&open), how_to_end())),
        None => {}
    }
    let started = seat.clock.now();
    lookout::ready(context, ground, &options.judging(&context.settings.file.deploy)).await?;
    let arn = ground.target_group_arn.as_deref();
    match preflight::check(context, names, arn, release, options, owner).await? {
        Preflight::Serving { instances } => Ok(Prepared::Serving(instances)),
        Preflight::Begin(beginning) => Ok(Prepared::Open(Box::new(begin(names, *beginning, seat, started)))),
    }
}

pub(super) async fn find_release(
    context: &Context,
    names: &AppNames,
    release: &ReleaseName,
) -> Result<ReleaseRecord, DeployError> {
    if let Some(found) = context.store.release(&names.app, release).await? {
        return Ok(found);
    }
    let known = context.store.releases(&names.app).await?.into_iter().map(|r| r.release).collect();
    Err(DeployError::UnknownRelease { app: names.app.clone(), release: release.clone(), known })
}

fn begin(
    names: &AppNames,
    beginning: record::Beginning,
    seat: &Seat,
    started: jiff::Timestamp,
) -> DeployRecord {
    let way_back = beginning.way_back.as_ref().map(Restorable::in_words);
    let mut record = record::begin(names, beginning, started);
    let step = record.step;
    record::intend(&mut record, step, "check everything that can be checked".to_owned(), started);
    let now = seat.clock.now();
    let found = way_back.map_or_else(String::new, |found| format!("; {found}"));
    record::done(&mut record, record::Change::None, format!("nothing is in the way{found}"), now);
    record
}

/// A deploy whose driver is gone. The line in its log also starts every limit anew.
pub(super) fn go_on(mut record: DeployRecord, owner: &str, seat: &mut Seat) -> DeployRecord {
    let now = seat.clock.now();
    seat.view.note(&format!("going on with deploy {} at step {}", record.id, record.step));
    let step = record.step;
    record::intend(&mut record, step, format!("go on, driven by {owner}"), now);
    record::done(&mut record, record::Change::None, "taken over", now);
    record
}

pub(super) async fn refuse_other(
    context: &Context,
    names: &AppNames,
    open: &DeployRecord,
) -> Result<DeployError, DeployError> {
    Ok(match context.store.lock(&names.app).await? {
        Some(held) => DeployError::held(&names.app, &held, Some(open)),
        None => DeployError::refused(open_already(open), how_to_end()),
    })
}

pub(super) fn open_already(open: &DeployRecord) -> String {
    let what = if open.is_restart() { "restart" } else { "deploy" };
    format!("{what} {} of {} is open, at step {}, and nobody drives it", open.id, open.to, open.step)
}

pub(super) fn how_to_end() -> &'static str {
    "go on with it: adf-ctl resume; or turn it back: adf-ctl abort"
}

pub(super) async fn give_back<T>(
    context: &Context,
    lock: adf_store::Lock,
    error: DeployError,
) -> Result<T, DeployError> {
    // The error is what matters; a lock that could not be freed ends with its lease.
    let _ = context.store.free_lock(lock).await;
    Err(error)
}
