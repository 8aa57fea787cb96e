//! `adf-ctl rollback`.

use super::deploy::{Told, seat, tell};
use crate::cli::RollbackArgs;
use crate::context::Context;
use crate::deploy;
use crate::error::CtlError;

pub(super) async fn run(context: &Context, args: RollbackArgs) -> Result<(), CtlError> {
    let names = context.settings.app()?;
    let ended = deploy::rollback(context, names, &args.reason, &mut seat(context)).await?;
    match tell(context, ended) {
        // The release before serves, which is what was asked for.
        Told::Serves | Told::RolledBack(_) => Ok(()),
        Told::Failed(error) => Err(error),
    }
}
