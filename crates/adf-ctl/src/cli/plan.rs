//! `adf-ctl plan`.

use std::time::Duration;

use clap::Args;

use super::WRITES;
use super::deploy::{DeployArgs, duration};
use crate::exit::ExitCode;

/// Tell how long a deploy will take, and what it would be refused for
///
/// Nothing is changed. The critical path is computed from live settings of the load balancer and the group, from
/// adf.toml and from the last deploys; each number says where it is from. Ends with 5 where a deploy would be refused,
/// and, with --deadline, where it would take longer.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&WRITES))]
pub struct PlanArgs {
    #[command(flatten)]
    pub deploy: DeployArgs,

    /// Until when every server is to run the release, as 5m [default: deploy.deadline of adf.toml]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub deadline: Option<Duration>,
}
