//! `adf-ctl status`.

use crate::context::Context;
use crate::error::CtlError;
use crate::inspect;

pub(super) async fn run(context: &Context) -> Result<(), CtlError> {
    let status = inspect::status(context).await?;
    context.printer.data(&status);
    Ok(())
}
