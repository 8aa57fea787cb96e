//! `adf-ctl rollback` and `adf-ctl abort`.

use adf_types::Outcome;

use super::deploy::{Told, seat, tell};
use crate::cli::{AbortArgs, RollbackArgs};
use crate::context::Context;
use crate::deploy::{self, Ended};
use crate::error::CtlError;

pub(super) async fn run(context: &Context, args: RollbackArgs) -> Result<(), CtlError> {
    let names = context.settings.app()?;
    let ended = deploy::rollback(context, names, &args.reason, &mut seat(context)).await?;
    went_back(context, ended)
}

pub(super) async fn abort(context: &Context, args: AbortArgs) -> Result<(), CtlError> {
    let names = context.settings.app()?;
    let ended = deploy::abort(context, names, &args.reason, &mut seat(context)).await?;
    if let Ended::Closed { record, .. } = &ended
        && record.outcome == Some(Outcome::Succeeded)
    {
        let serving = format!("{} serves, and was not aborted", record.to);
        context.printer.note(&format!("the deploy had ended before it could turn back: {serving}"));
    }
    went_back(context, ended)
}

/// The release before serves, which is what was asked for.
fn went_back(context: &Context, ended: Ended) -> Result<(), CtlError> {
    match tell(context, ended) {
        Told::Serves | Told::RolledBack(_) => Ok(()),
        Told::Failed(error) => Err(error),
    }
}
