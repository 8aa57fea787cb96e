//! `adf-ctl config`: the verbs of `adf-config` on the app that adf.toml names.

use adf_config::{ConfigError, list, set, unset};

use crate::cli::{ConfigArgs, ConfigVerb};
use crate::context::Context;
use crate::error::CtlError;

pub(super) async fn run(context: &Context, args: ConfigArgs) -> Result<(), CtlError> {
    let app = &context.settings.app()?.app;
    let (store, printer, release) = (&context.store, context.printer, args.release.as_ref());
    match args.verb {
        ConfigVerb::List => printer.data(&list::list(store, app, release).await?),
        ConfigVerb::Set { assignments } => {
            let assignments = set::assignments(&assignments).map_err(ConfigError::from)?;
            let done = set::set(store, app, release, assignments).await?;
            printer.note(&done.summary());
            printer.data(&done);
        }
        ConfigVerb::Unset { names } => {
            let done = unset::unset(store, app, release, names).await?;
            printer.note(&done.summary());
            printer.data(&done);
        }
    }
    Ok(())
}
