//! Everything that is done to this repository: `cargo xtask demo`, `bench`, `fuzz`, `sim`, `test`, `tidy`, `drawings`, `man`.
//!
//! Neighbours: none. It runs the workspace's binaries as processes, as a user would, and depends on none of its
//! crates. To add a command: a file of its own, a variant of [`Command`], a line in CONTRIBUTING.md.

mod apt;
mod bench;
mod ctl;
mod demo;
mod docker;
mod drawings;
mod failure;
mod fuzz;
mod local;
mod man;
mod process;
mod programs;
mod sim;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "Everything that is done to this repository")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// One whole deploy under load on this machine, with real Docker: v1, canary, v2, rollback, v2.
    Demo(demo::Options),
    /// Speed and memory, as ratios of things measured in one run.
    Bench(bench::Options),
    /// Fuzzes what reads archives, from the hostile corpus onwards.
    Fuzz(fuzz::Options),
    /// Plays deploys in virtual time, seed after seed, with everything going wrong that can.
    Sim(sim::Options),
    /// Format, lints, dependency rules, licences and every test; ends with `N passed, N failed`.
    Test,
    /// The rules that no compiler checks: who may depend on whom, file sizes, drawings.
    Tidy,
    /// Writes the drawings of ARCHITECTURE.md anew from the enums.
    Drawings,
    /// Writes docs/man anew from the commands.
    Man,
}

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Cli::parse().command {
        Command::Demo(options) => demo::run(&options).await,
        Command::Bench(options) => bench::run(&options).await,
        Command::Fuzz(options) => fuzz::run(&options).map(|()| ExitCode::SUCCESS),
        Command::Sim(options) => sim::run(&options),
        Command::Test => test::run().await,
        Command::Tidy => tidy::run().map(|()| ExitCode::SUCCESS),
        Command::Drawings => drawings::write().map(|()| ExitCode::SUCCESS),
        Command::Man => man::write().map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|failure| {
        eprintln!("error: {failure}");
        ExitCode::FAILURE
    })
}
