//! `adf-ctl deploy` and `adf-ctl rollback`.

use adf_types::ReleaseName;
use clap::Args;

use crate::exit::ExitCode;

/// Move the app to a release
///
/// A canary is launched and judged, then the fleet is replaced by fresh instances, without a failed request.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&ExitCode::ALL))]
pub struct DeployArgs {
    /// The release to deploy
    #[arg(value_name = "RELEASE")]
    pub release: ReleaseName,

    /// Instances at the end of a first deploy [default: the group's tag adf:capacity]
    #[arg(long, value_name = "N")]
    pub capacity: Option<u32>,

    /// Start the fleet without trying one instance first
    #[arg(long)]
    pub no_canary: bool,
}

/// Bring the release before back
///
/// While a deploy is open, the old instances that stand by serve again within seconds. After its end, the
/// previous release is deployed.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&ExitCode::ALL))]
pub struct RollbackArgs {
    /// Why, for the deploy's record
    #[arg(long, value_name = "TEXT", default_value = "asked for by the operator")]
    pub reason: String,
}
