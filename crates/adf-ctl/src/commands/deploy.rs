//! `adf-ctl deploy`.

use crate::cli::DeployArgs;
use crate::context::Context;
use crate::error::CtlError;

pub(super) async fn run(context: &Context, args: DeployArgs) -> Result<(), CtlError> {
    context.settings.app()?;
    Err(CtlError::Refused {
        reason: format!("this build cannot run {args:?} yet"),
        hint: "use a newer build".to_owned(),
    })
}
