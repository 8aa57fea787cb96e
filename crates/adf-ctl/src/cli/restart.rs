//! `adf-ctl restart`.

use std::time::Duration;

use adf_types::Surge;
use clap::Args;

use super::deploy::duration;
use crate::exit::ExitCode;

/// Reboot the servers, some at a time, so that they read their config anew
///
/// Each leaves the load balancer, finishes its requests, reboots, and serves again before the next ones leave. The release
/// stays; nothing is built. One that does not come back ends the restart, and the group starts another in its place.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&ExitCode::ALL))]
pub struct RestartArgs {
    /// How much of the fleet may be out of service at once, as 25%; at least one server, at most twenty
    #[arg(long, value_name = "SHARE", default_value = "10%")]
    pub at_once: Surge,

    /// Restart although nothing serves meanwhile, as with a fleet of one
    #[arg(long)]
    pub downtime: bool,

    #[arg(help = "How long a server may take to come back [default: deploy.boot_timeout of adf.toml]")]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub boot_timeout: Option<Duration>,
}
