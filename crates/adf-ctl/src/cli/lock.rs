//! `adf-ctl lock`.

use adf_types::AppName;
use clap::{Args, Subcommand};

use super::{READS, WRITES};
use crate::exit::ExitCode;

/// Show or break the lock that keeps two deploys of an app apart
#[derive(Debug, Args)]
pub struct LockArgs {
    #[command(subcommand)]
    pub verb: LockVerb,
}

#[derive(Debug, Subcommand)]
pub enum LockVerb {
    /// Tell who holds the lock, and whether they are at work
    ///
    /// Takes up to two beats, 20 seconds: a lock beats every 10 seconds while its holder is at work.
    #[command(after_help = ExitCode::help(&READS))]
    Show,
    Break(BreakArgs),
}

/// Free the lock of somebody who is gone
///
/// Rarely needed: a deploy or a rollback takes a lock over by itself that does not beat for 30 seconds. What its
/// holder may still try to write fails.
#[derive(Debug, Args)]
#[command(after_help = ExitCode::help(&WRITES))]
pub struct BreakArgs {
    /// The app's name, instead of typing it when asked
    #[arg(long, value_name = "APP")]
    pub yes: Option<AppName>,

    /// Although its holder is at work: the deploy stops where it is
    #[arg(long)]
    pub force: bool,
}
