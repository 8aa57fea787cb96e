//! `adf-ctl config`.

use adf_config::cli::EXIT_CODES;
use adf_config::verb::Verb;
use adf_types::ReleaseName;
use clap::Args;

use crate::exit::ExitCode;

/// The app's config: read, change, compare, and take changes back
///
/// Base config applies to every release, the Overlay config of a release to that release only.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&EXIT_CODES))]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub verb: Verb,

    /// The release whose Overlay config is meant
    #[arg(short, long, global = true)]
    pub release: Option<ReleaseName>,
}
