//! `adf-ctl history`.

use crate::cli::HistoryArgs;
use crate::context::Context;
use crate::error::CtlError;
use crate::inspect;

pub(super) async fn run(context: &Context, args: HistoryArgs) -> Result<(), CtlError> {
    let (now, many) = (context.clock.now(), usize::from(args.deploys));
    match args.deploy {
        None => context.printer.data(&inspect::history(context, many, now).await?),
        Some(id) => context.printer.data(&inspect::one_deploy(context, &id, many, now).await?),
    }
    Ok(())
}
