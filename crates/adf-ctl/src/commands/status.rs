//! `adf-ctl status`.

use jiff::Timestamp;

use crate::cli::StatusArgs;
use crate::context::Context;
use crate::deploy::clock::Clock;
use crate::deploy::stop::Stop;
use crate::error::CtlError;
use crate::inspect;

pub(super) async fn run(context: &Context, args: StatusArgs) -> Result<(), CtlError> {
    if args.watch {
        let clock = Clock::starting_at(Timestamp::now());
        return inspect::watch(context, clock, &mut Stop::on_ctrl_c(), inspect::on_stdout).await;
    }
    let status = inspect::status(context, Timestamp::now()).await?;
    context.printer.data(&status);
    Ok(())
}
