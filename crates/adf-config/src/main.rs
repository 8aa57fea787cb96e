//! ADF-CONFIG(1): parse, run, error to exit code.

use std::process;

use adf_config::cli::Cli;
use adf_config::{ExitCode, report, run};
use clap::Parser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> process::ExitCode {
    let cli = Cli::parse();
    let format = cli.format();
    let code = match run::run(cli).await {
        Ok(()) => ExitCode::Done,
        Err(error) => report::report(&error, format),
    };
    code.into()
}
