//! `adf-ctl restart`.

use super::deploy::{Told, seat, tell};
use crate::cli::RestartArgs;
use crate::context::Context;
use crate::deploy::{self, RestartOptions};
use crate::error::CtlError;

pub(super) async fn run(context: &Context, args: RestartArgs) -> Result<(), CtlError> {
    let names = context.settings.app()?;
    let options =
        RestartOptions { share: args.at_once, downtime: args.downtime, boot_timeout: args.boot_timeout };
    let ended = Box::pin(deploy::restart(context, names, &options, &mut seat(context))).await?;
    match tell(context, ended) {
        Told::Serves => Ok(()),
        Told::RolledBack(error) | Told::Failed(error) => Err(error),
    }
}
