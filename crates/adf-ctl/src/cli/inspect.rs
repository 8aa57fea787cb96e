//! `adf-ctl status`, `adf-ctl history` and `adf-ctl logs`: looking.

use adf_types::{DeployId, InstanceId};
use clap::Args;

use super::READS;
use crate::exit::ExitCode;

/// Show an app's releases, its deploy and its fleet
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&READS))]
pub struct StatusArgs {
    /// Look again every 2 seconds until Ctrl-C; without a terminal only what has changed is printed
    #[arg(long)]
    pub watch: bool,
}

/// Show the last deploys and where their time went
///
/// Each step is compared with the median of the other deploys. With the id of a deploy its whole log is shown, line by
/// line.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&READS))]
pub struct HistoryArgs {
    /// One deploy, whole
    #[arg(value_name = "DEPLOY")]
    pub deploy: Option<DeployId>,

    /// How many deploys
    #[arg(long, value_name = "N", default_value_t = 10, conflicts_with = "deploy")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub deploys: u16,
}

/// Show what instances reported that are not well
///
/// The stage, the reason and the last lines of each one's receipt; the console of an instance that could not write a
/// receipt. Without a name: the instances that the last failed deploy started, and those that are not healthy now.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&READS))]
pub struct LogsArgs {
    /// Instances, well or not
    #[arg(value_name = "INSTANCE")]
    pub instances: Vec<InstanceId>,

    /// The console of each, too
    #[arg(long)]
    pub console: bool,
}
