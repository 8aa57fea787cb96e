//! `adf-ctl`: parse, log, run, error to exit code.

use std::process;

use adf_ctl::cli::Cli;
use adf_ctl::{ExitCode, commands, report};
use clap::Parser;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> process::ExitCode {
    let cli = Cli::parse();
    let format = cli.settings.format();
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let code = match commands::run(cli).await {
        Ok(()) => ExitCode::Done,
        Err(error) => report::report(&error, format),
    };
    code.into()
}
