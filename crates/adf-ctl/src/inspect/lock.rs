//! The deploy lock of an app: who holds it, and whether they are at work.
//!
//! A lock beats while its holder works, so one look tells nothing: two looks a beat apart do.

use std::time::Duration;

use adf_store::{BEAT, LEASE, LockView};
use adf_types::{AppName, DeployId};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::consent::Consent;
use crate::context::Context;
use crate::error::CtlError;
use crate::printer::{Text, plain};

/// How long a lock is looked at: the holder beats between two things it does, and waits up to a beat for AWS.
const LOOKED_AT: Duration = BEAT.saturating_mul(2);

/// Between two looks.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LockReport {
    pub app: AppName,
    pub held: Option<Holder>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Holder {
    pub owner: String,
    /// The deploy that was last written under this lock.
    pub deploy: Option<DeployId>,
    pub fence: u64,
    /// By the holder's clock.
    pub since: Timestamp,
    /// Whether the lock moved while it was looked at.
    pub at_work: bool,
    /// How long it was looked at.
    pub looked_seconds: f64,
    #[serde(skip)]
    seen: LockView,
}

/// Looks until the lock moves, is free, or has stood still for two beats.
pub async fn lock(context: &Context) -> Result<LockReport, CtlError> {
    let app = &context.settings.app()?.app;
    let free = LockReport { app: app.clone(), held: None };
    let Some(first) = context.store.lock(app).await? else { return Ok(free) };
    let (fence, beat, since) = (first.fence, first.beat, Instant::now());
    context.printer.note(&format!(
        "held by {}; looking for up to {} s whether it beats",
        first.owner,
        LOOKED_AT.as_secs()
    ));
    loop {
        sleep(LOOK).await;
        let Some(seen) = context.store.lock(app).await? else { return Ok(free) };
        let at_work = (seen.fence, seen.beat) != (fence, beat);
        if at_work || since.elapsed() >= LOOKED_AT {
            let holder = Holder::of(seen, at_work, since.elapsed());
            return Ok(LockReport { held: Some(holder), ..free });
        }
    }
}

/// The lock as it is, without a word on whether it beats.
pub async fn lock_now(context: &Context) -> Result<LockReport, CtlError> {
    let app = &context.settings.app()?.app;
    let seen = context.store.lock(app).await?;
    Ok(LockReport { app: app.clone(), held: seen.map(|seen| Holder::of(seen, false, Duration::ZERO)) })
}

/// Frees the lock as it was seen; what its holder still tries to write fails.
pub async fn break_lock(context: &Context, consent: &Consent, holder: &Holder) -> Result<Broken, CtlError> {
    let app = consent.app();
    context.store.break_lock(app, &holder.seen).await?;
    let open = context.store.open_deploy(app).await?.map(|open| (open.id, open.to.to_string()));
    Ok(Broken { app: app.clone(), owner: holder.owner.clone(), open })
}

impl Holder {
    fn of(seen: LockView, at_work: bool, looked: Duration) -> Self {
        Self {
            owner: seen.owner.clone(),
            deploy: seen.deploy.clone(),
            fence: seen.fence,
            since: seen.taken_at,
            at_work,
            looked_seconds: looked.as_secs_f64(),
            seen,
        }
    }

    /// What it is held for.
    pub fn purpose(&self) -> String {
        self.deploy.as_ref().map_or_else(|| "no deploy yet".to_owned(), |id| format!("deploy {id}"))
    }
}

impl Text for LockReport {
    fn text(&self) -> String {
        let Some(held) = &self.held else { return format!("the lock of {} is free\n", self.app) };
        let moves = if held.at_work {
            "it beats: its holder is at work".to_owned()
        } else {
            format!(
                "it has not moved for {:.0} s; adf-ctl deploy or rollback takes it over by itself after {} s",
                held.looked_seconds,
                LEASE.as_secs()
            )
        };
        format!(
            "lock      of {}, held by {}\nfor       {}\nsince     {:.0}\nfence     {}\n          {moves}\n",
            self.app,
            plain(&held.owner),
            held.purpose(),
            held.since,
            held.fence
        )
    }
}

/// A lock that is free now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Broken {
    pub app: AppName,
    /// Who held it.
    pub owner: String,
    /// The deploy that nobody drives now, and its release.
    pub open: Option<(DeployId, String)>,
}

impl Text for Broken {
    fn text(&self) -> String {
        let freed = format!("the lock of {} is free; {} held it\n", self.app, plain(&self.owner));
        let Some((id, release)) = &self.open else { return freed };
        freed
            + &format!(
                "deploy {id} of {release} is open: go on with adf-ctl deploy {release}, or back with adf-ctl rollback\n"
            )
    }
}
