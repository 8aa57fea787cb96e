//! `adf-ctl status`.

use crate::cli::StatusArgs;
use crate::context::Context;
use crate::error::CtlError;
use crate::inspect;

pub(super) async fn run(context: &Context, args: StatusArgs) -> Result<(), CtlError> {
    if args.watch {
        let show = |text: &str| context.printer.look(text);
        return inspect::watch(context, context.clock, &mut context.stop(), show).await;
    }
    let status = inspect::status(context, context.clock.now()).await?;
    context.printer.data(&status);
    Ok(())
}
