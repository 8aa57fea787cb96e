//! `adf-ctl deploy` and `adf-ctl rollback`.

use std::time::Duration;

use adf_types::ReleaseName;
use clap::Args;
use jiff::SignedDuration;

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

    /// Deploy although an alarm fires, as for the release that is to end it; alarms have no say
    #[arg(long)]
    pub no_alarms: bool,

    /// How long the canary is observed at least, as 30s or 5m [default: deploy.bake of adf.toml]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub bake: Option<Duration>,

    #[arg(
        help = "How many probes the canary must have answered at least [default: deploy.min_probes of adf.toml]"
    )]
    #[arg(long, value_name = "N")]
    pub min_probes: Option<u64>,

    /// How long the old instances stand by [default: deploy.watch of adf.toml]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub watch: Option<Duration>,

    #[arg(help = "How long any one wait for instances may take [default: deploy.boot_timeout of adf.toml]")]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub boot_timeout: Option<Duration>,
}

/// `30s`, `5m`, `1h30m`: the form that adf.toml has.
fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|_| "write 30s or 5m".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "a time is not negative".to_owned())
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
