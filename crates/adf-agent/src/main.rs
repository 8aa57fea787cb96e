//! Parse, run, exit code. What happens is in `adf_agent::cli`.

use std::process::ExitCode;

use adf_agent::cli::{Cli, main as run};
use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    run(Cli::parse()).await.into()
}
