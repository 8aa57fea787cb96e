//! `adf-ctl status`.

use jiff::Timestamp;

use crate::context::Context;
use crate::error::CtlError;
use crate::inspect;

pub(super) async fn run(context: &Context) -> Result<(), CtlError> {
    let status = inspect::status(context, Timestamp::now()).await?;
    context.printer.data(&status);
    Ok(())
}
