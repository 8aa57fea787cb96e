//! `adf-local`: parse, log, run, error to exit code.

use std::error::Error;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use adf_local::cli::{Cli, Command};
use adf_local::{machine, up};
use clap::Parser as _;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("adf_local=info,warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    log.with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()).init();
    match Cli::parse().command {
        Command::Up(options) => match up::up(options).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => failed(&error, error.exit_code()),
        },
        Command::Machine(options) => match machine::become_program(&options) {
            Ok(never) => match never {},
            Err(error) => failed(&error, 1),
        },
    }
}

/// One cause a line.
fn failed(error: &dyn Error, code: u8) -> ExitCode {
    eprintln!("adf-local: {error}");
    let mut cause = error.source();
    while let Some(inner) = cause {
        eprintln!("  because: {inner}");
        cause = inner.source();
    }
    ExitCode::from(code)
}
