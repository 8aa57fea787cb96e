//! `adf-ctl config`: the verbs of `adf-config` on the app that adf.toml names.

use adf_config::dispatch::{self, Subject};

use crate::cli::ConfigArgs;
use crate::context::Context;
use crate::error::CtlError;

pub(super) async fn run(context: &Context, args: ConfigArgs) -> Result<(), CtlError> {
    args.verb.check()?;
    let app = &context.settings.app()?.app;
    let rules = context.settings.config_rules();
    let subject = Subject {
        sdk: &context.sdk,
        store: &context.store,
        app,
        release: args.release.as_ref(),
        rules: rules.as_ref(),
    };
    Ok(dispatch::run(subject, context.printer, args.verb).await?)
}
