//! `adf-config` from a parsed command line to a printed result.

use crate::cli::Cli;
use crate::connect::{connect, store};
use crate::dispatch::{self, Subject};
use crate::error::ConfigError;
use crate::printer::Printer;

pub async fn run(mut cli: Cli) -> Result<(), ConfigError> {
    let verb = cli.verb().ok_or(ConfigError::TwoVerbs)?;
    verb.check()?;
    let app = cli.app.as_ref().ok_or(ConfigError::NoApp)?;
    let sdk = connect(cli.region.as_deref()).await?;
    let subject = Subject { sdk: &sdk, store: &store(&sdk), app, release: cli.release.as_ref(), rules: None };
    dispatch::run(subject, Printer::new(cli.format()), verb).await
}
