//! `adf-ctl config`.

use adf_types::{ConfigName, ReleaseName};
use clap::{Args, Subcommand};

use super::READS;
use crate::exit::ExitCode;

/// List, set and unset the app's config
///
/// Base config applies to every release, the Overlay config of a release to that release only.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&READS))]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub verb: ConfigVerb,

    /// The release whose Overlay config is meant
    #[arg(short, long, global = true)]
    pub release: Option<ReleaseName>,
}

#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Print config as NAME=value lines, sorted by name; with --release, what that release sees
    #[command(after_help = ExitCode::help(&READS))]
    List,
    /// Set names to values
    #[command(after_help = ExitCode::help(&READS))]
    Set {
        #[arg(required = true, value_name = "NAME=VALUE")]
        assignments: Vec<String>,
    },
    /// Delete names; with --release, hide Base names from that release
    #[command(after_help = ExitCode::help(&READS))]
    Unset {
        #[arg(required = true, value_name = "NAME")]
        names: Vec<ConfigName>,
    },
}
