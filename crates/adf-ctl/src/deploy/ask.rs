//! Asking whoever drives the open deploy to stand still, to go on, or to wait no longer.

use std::time::Duration;

use adf_store::{LEASE, LockView};
use adf_types::{DeployRecord, OperatorRequest, Outcome, Step};
use tokio::time::{Instant, sleep};

use super::Ended;
use super::drive::Seat;
use super::error::DeployError;
use super::follow::{self, LOOK};
use crate::context::Context;
use crate::settings::AppNames;

/// What became of a request.
#[derive(Debug)]
pub enum Answer {
    /// Whoever drives has done so.
    Done(Box<DeployRecord>),
    /// Nobody drives; whoever does next will do so.
    Kept(Box<DeployRecord>),
    /// The deploy was over, or on its way back, before it could.
    TooLate(Box<DeployRecord>),
}

/// Keeps the open deploy where it is, for at most `limit`.
pub async fn pause(
    context: &Context,
    names: &AppNames,
    limit: Duration,
    seat: &mut Seat,
) -> Result<Answer, DeployError> {
    let open = follow::open(context, names).await?;
    let by = context.aws.identity().await?;
    let request = OperatorRequest::Pause { by, limit };
    answer(context, &open, &request, |record| record.progress.paused_at.is_some(), seat).await
}

/// Ends the rest of the bake, or of the watch, whichever the open deploy is in or comes to next.
pub async fn promote(context: &Context, names: &AppNames, seat: &mut Seat) -> Result<Answer, DeployError> {
    let open = follow::open(context, names).await?;
    if open.is_restart() {
        return Err(DeployError::refused(
            format!("restart {} of {} has neither bake nor watch", open.id, open.to),
            "let it end, or stop it with: adf-ctl abort",
        ));
    }
    let by = context.aws.identity().await?;
    let judged = open.step > Step::Judge || !open.policy.canary;
    let step = if judged { Step::Watch } else { Step::Judge };
    let request = OperatorRequest::Promote { by, step };
    answer(context, &open, &request, |record| record.step > step, seat).await
}

/// Lets a paused deploy go on, and follows it, or drives it if nobody does, to its end.
pub async fn resume(context: &Context, names: &AppNames, seat: &mut Seat) -> Result<Ended, DeployError> {
    let open = follow::open(context, names).await?;
    let by = context.aws.identity().await?;
    let pending = context.store.requested(&names.app, &open.id).await?;
    if matches!(pending, Some(OperatorRequest::Pause { .. })) {
        let request = OperatorRequest::Resume { by: by.clone() };
        context.store.request(&names.app, &open.id, &request).await?;
    }
    let (record, fleet) = follow::to_the_end(context, names, &open, &by, seat).await?;
    Ok(Ended::Closed { record, fleet })
}

/// Leaves a request and waits until it shows, nobody is there to see it, or it is too late.
async fn answer(
    context: &Context,
    open: &DeployRecord,
    request: &OperatorRequest,
    done: impl Fn(&DeployRecord) -> bool,
    seat: &mut Seat,
) -> Result<Answer, DeployError> {
    let left = context.store.request(&open.app, &open.id, request).await?;
    let mut seen: Option<(Option<LockView>, Instant)> = None;
    loop {
        let record = context.store.deploy(&open.app, &open.id).await?.unwrap_or_else(|| open.clone());
        let turned = !matches!(record.direction, adf_types::Direction::Forward);
        let failed = !matches!(record.outcome, None | Some(Outcome::Succeeded));
        if !left || turned || failed {
            return Ok(Answer::TooLate(Box::new(record)));
        }
        if done(&record) {
            return Ok(Answer::Done(Box::new(record)));
        }
        if !record.is_open() || record.step == Step::Cleanup {
            return Ok(Answer::TooLate(Box::new(record)));
        }
        let lock = context.store.lock(&open.app).await?;
        let since = match &seen {
            Some((before, since)) if *before == lock => *since,
            _ => Instant::now(),
        };
        if lock.is_none() || since.elapsed() >= LEASE {
            return Ok(Answer::Kept(Box::new(record)));
        }
        seen = Some((lock, since));
        tokio::select! {
            () = sleep(LOOK) => {}
            () = seat.stop.asked() => return Err(DeployError::Interrupted(Box::new(record))),
        }
    }
}
