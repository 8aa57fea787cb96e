//! Rolling back: an open deploy is asked to turn; after its end the previous release is deployed. Aborting is the
//! first half of it.

use adf_types::{DeployRecord, OperatorRequest, Outcome, Step};

use super::drive::Seat;
use super::error::DeployError;
use super::{DeployOptions, Ended, follow, start};
use crate::context::Context;
use crate::settings::AppNames;

/// What becomes of a rollback whose deploy succeeded meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    DeployPrevious,
    Leave,
}

pub async fn run(
    context: &Context,
    names: &AppNames,
    reason: &str,
    seat: &mut Seat,
) -> Result<Ended, DeployError> {
    match context.store.open_deploy(&names.app).await? {
        Some(open) if open.is_restart() => Err(DeployError::refused(
            format!("restart {} of {} is open, and it changes no release", open.id, open.to),
            "end it with: adf-ctl abort; then: adf-ctl rollback",
        )),
        Some(open) => turn(context, names, open, reason, After::DeployPrevious, seat).await,
        None => deploy_previous(context, names, seat).await,
    }
}

/// Turns the open deploy back and does nothing else.
pub async fn abort(
    context: &Context,
    names: &AppNames,
    reason: &str,
    seat: &mut Seat,
) -> Result<Ended, DeployError> {
    let open = follow::open(context, names).await?;
    turn(context, names, open, reason, After::Leave, seat).await
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
    let options =
        DeployOptions { canary: false, alarms: false, returns: true, ..DeployOptions::of(previous) };
    start::run(context, names, &options, seat).await
}

async fn turn(
    context: &Context,
    names: &AppNames,
    open: DeployRecord,
    reason: &str,
    after: After,
    seat: &mut Seat,
) -> Result<Ended, DeployError> {
    if open.step == Step::Cleanup {
        return Err(DeployError::refused(
            format!(
                "deploy {} of {} is in its clean-up: the old instances are being terminated",
                open.id, open.to
            ),
            "let it end (adf-ctl resume goes on if nobody drives it), then: adf-ctl rollback",
        ));
    }
    let owner = context.aws.identity().await?;
    let request = OperatorRequest::Rollback { by: owner.clone(), reason: reason.to_owned() };
    context.store.request(&names.app, &open.id, &request).await?;
    seat.view.note(&format!("asked deploy {} of {} to turn back", open.id, open.to));
    let (record, fleet) = follow::to_the_end(context, names, &open, &owner, seat).await?;
    if record.outcome == Some(Outcome::Succeeded) {
        seat.view.note("the deploy had ended before it could turn back");
        if after == After::DeployPrevious {
            return deploy_previous(context, names, seat).await;
        }
    }
    Ok(Ended::Closed { record, fleet })
}
