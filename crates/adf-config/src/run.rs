//! `adf-config` from a parsed command line to a printed result.

use std::io;
use std::path::Path;

use adf_store::Store;

use crate::cli::{Cli, command};
use crate::connect::connect;
use crate::dispatch::{self, Subject};
use crate::error::ConfigError;
use crate::instance;
use crate::printer::Printer;

pub async fn run(mut cli: Cli) -> Result<(), ConfigError> {
    if let Some(shell) = cli.completions {
        clap_complete::generate(shell, &mut command(), "adf-config", &mut io::stdout());
        return Ok(());
    }
    let verb = cli.verb().ok_or(ConfigError::TwoVerbs)?;
    verb.check()?;
    let tables = instance::tables(Path::new(instance::AGENT_TOML))?;
    let app = match cli.app.take() {
        Some(app) => app,
        None => instance::app().await.ok_or(ConfigError::NoApp)?,
    };
    let sdk = connect(cli.region.as_deref()).await?;
    let store = Store::new(&sdk, tables);
    let subject = Subject { sdk: &sdk, store: &store, app: &app, release: cli.release.as_ref(), rules: None };
    dispatch::run(subject, Printer::new(cli.format()), verb).await
}
