//! `adf-ctl ship`.

use std::path::PathBuf;

use clap::Args;

use super::deploy::DeployArgs;
use crate::exit::ExitCode;

/// Make a release, set what only it needs, and deploy it
///
/// The three commands one after the other: release create, config set --release, deploy. Each prints what it did, and the
/// first that fails ends it with its own exit code. Typed again, it goes on: a release that is made, config that is set and
/// a deploy that is open are found and not done twice.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&ExitCode::ALL))]
pub struct ShipArgs {
    #[command(flatten)]
    pub deploy: DeployArgs,

    /// The git repository [default: the one around the current folder]
    #[arg(long, value_name = "PATH")]
    pub repo: Option<PathBuf>,

    /// Config for this release only; may be given several times. Not for secrets: a command line is seen by every user
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
}
