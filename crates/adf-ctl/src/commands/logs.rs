//! `adf-ctl logs`.

use crate::cli::LogsArgs;
use crate::context::Context;
use crate::error::CtlError;
use crate::inspect;

pub(super) async fn run(context: &Context, args: LogsArgs) -> Result<(), CtlError> {
    let logs = inspect::logs(context, &args.instances, args.console, context.clock.now()).await?;
    context.printer.data(&logs);
    Ok(())
}
