//! `cargo xtask bench`: speed and memory, as ratios of things measured in one run.
//!
//! Neighbours: [`agent`] is the table of the agent against the flow by hand and against Docker alone;
//! [`release`] makes what is delivered, [`server`] hands it out, [`link`] is a slow way to it, [`rivals`] run one delivery each,
//! [`footprint`] reads what a process costs. [`config`] is the table of reads of config against the AWS SDK alone. The
//! rule: rivals take turns in every round, so that whatever else the machine does hits all of them; what is printed is a
//! median and its ratio.

mod agent;
mod config;
mod footprint;
mod link;
mod release;
mod rivals;
mod server;

use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::failure::Result;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// From the agent's start to the app's first 200, against the flow by hand and against Docker alone.
    Agent(agent::Options),
    /// Reads of config, against the AWS SDK alone; the AWS calls of a boot.
    Config(config::Options),
}

pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    match &options.what {
        What::Agent(options) => agent::run(options).await,
        What::Config(options) => config::run(options),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
