//! Parse, run, exit code. What happens is in `adf_agent::cli`.

use std::process::ExitCode;

use adf_agent::cli::{Cli, main as run};
use clap::Parser as _;

// One thread: the agent waits for others nearly all its life, and threads that wake each other cost memory and wake-ups.
// What computes, reading an archive, has a thread of its own.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    run(Cli::parse()).await.into()
}
