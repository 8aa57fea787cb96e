//! `adf-ctl deploy` and `adf-ctl rollback`.

use std::time::Duration;

use adf_types::{ReleaseName, Strategy, Surge};
use clap::{Args, ValueEnum};
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

    /// Deploy although this release, which serves now, could not come back
    #[arg(long, value_name = "RELEASE")]
    pub no_way_back: Option<ReleaseName>,

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

    /// How the fleet is replaced [default: deploy.strategy of adf.toml]
    #[arg(long, value_name = "STRATEGY")]
    pub strategy: Option<StrategyArg>,

    /// How much larger than its capacity the fleet may be meanwhile, as 25% [default: deploy.surge of adf.toml]
    ///
    /// Below 100% the old instances are terminated part by part, and a way back has to launch them anew.
    #[arg(long, value_name = "SHARE")]
    pub surge: Option<Surge>,

    #[arg(help = "How long any one wait for instances may take [default: deploy.boot_timeout of adf.toml]")]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub boot_timeout: Option<Duration>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum StrategyArg {
    /// New instances beside the old ones; the old leave when the new serve
    Surge,
    /// Auto Scaling's own instance refresh, for fleets that cannot grow
    Refresh,
}

impl From<StrategyArg> for Strategy {
    fn from(arg: StrategyArg) -> Self {
        match arg {
            StrategyArg::Surge => Self::Surge,
            StrategyArg::Refresh => Self::Refresh,
        }
    }
}

/// `30s`, `5m`, `1h30m`: the form that adf.toml has.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: SignedDuration = text.parse().map_err(|_| "write 30s or 5m".to_owned())?;
    Duration::try_from(parsed).map_err(|_| "a time is not negative".to_owned())
}

/// Go on with the open deploy
///
/// Lets a paused deploy go on, or drives one whose operator is gone: any machine can, from any step. Then follows it
/// to its end, as deploy does.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&ExitCode::ALL))]
pub struct ResumeArgs {}

/// Turn the open deploy back
///
/// The release before serves again, or still. Unlike rollback it does nothing when no deploy is open.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&ExitCode::ALL))]
pub struct AbortArgs {
    /// Why, for the deploy's record
    #[arg(long, value_name = "TEXT", default_value = "asked for by the operator")]
    pub reason: String,
}

/// Keep the open deploy where it is
///
/// Whatever serves goes on serving. What speaks against the new release still turns the deploy back, and so does a
/// pause that nobody ends.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&super::WRITES))]
pub struct PauseArgs {
    /// After how long the deploy turns back if nobody resumes it
    #[arg(long = "for", value_name = "TIME", value_parser = duration, default_value = "1h")]
    pub limit: Duration,
}

/// Wait no longer for the bake, or for the watch
///
/// The canary passes on your word if nothing speaks against it. After the replacement it ends the watch: the old
/// instances are terminated.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&super::WRITES))]
pub struct PromoteArgs {}

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
