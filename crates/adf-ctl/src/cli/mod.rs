//! The command line of `adf-ctl`: definitions only. One file per command that has more than one argument.

mod config;
mod deploy;
mod iam_policy;
mod init;
mod inspect;
mod lock;
mod plan;
mod release;
mod restart;
mod ship;

use std::path::PathBuf;

use adf_types::AppName;
use clap::{Args, CommandFactory, Parser, Subcommand};

pub use config::ConfigArgs;
pub use deploy::{AbortArgs, DeployArgs, PauseArgs, PromoteArgs, ResumeArgs, RollbackArgs};
pub use iam_policy::IamPolicyArgs;
pub use init::InitArgs;
pub use inspect::{HistoryArgs, LogsArgs, StatusArgs};
pub use lock::{BreakArgs, LockArgs, LockVerb};
pub use plan::PlanArgs;
pub use release::{CreateArgs, ReleaseArgs, ReleaseVerb};
pub use restart::RestartArgs;
pub use ship::ShipArgs;

use crate::exit::ExitCode;
use crate::printer::Format;

/// Delivers releases of an app to EC2 instances
///
/// Run it in the app's git repository: the file adf.toml there says what the app, its group and its bucket
/// are called. Progress goes to stderr, results go to stdout.
#[derive(Debug, Parser)]
#[command(name = "adf-ctl", version, max_term_width = 100, propagate_version = true)]
#[command(after_help = ExitCode::help(&ExitCode::ALL))]
pub struct Cli {
    #[command(flatten)]
    pub settings: SettingsArgs,
    #[command(subcommand)]
    pub command: Command,
}

/// What adf.toml says, said on the command line. The command line wins.
#[derive(Debug, Clone, Default, Args)]
pub struct SettingsArgs {
    /// The app [default: app.name of adf.toml]
    #[arg(long, global = true, value_name = "APP", help_heading = "Settings")]
    pub app: Option<AppName>,

    /// Its Auto Scaling group [default: the app's name]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Settings")]
    pub group: Option<String>,

    /// Its target group, or "none" [default: the app's name]
    #[arg(long, global = true, value_name = "NAME", help_heading = "Settings")]
    pub target_group: Option<String>,

    /// The S3 bucket of release archives
    #[arg(long, global = true, value_name = "BUCKET", help_heading = "Settings")]
    pub bucket: Option<String>,

    #[arg(help = "The AWS region [default: AWS_REGION, the AWS profile, or instance metadata]")]
    #[arg(long, global = true, value_name = "REGION", help_heading = "Settings")]
    pub region: Option<String>,

    /// The adf.toml to read [default: looked for from the current folder upwards]
    #[arg(long, global = true, value_name = "PATH", help_heading = "Settings")]
    pub config_file: Option<PathBuf>,

    /// Print the result as JSON
    #[arg(long, global = true, help_heading = "Settings")]
    pub json: bool,
}

impl SettingsArgs {
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Text }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Init(InitArgs),
    Release(ReleaseArgs),
    Config(ConfigArgs),
    Plan(PlanArgs),
    Deploy(DeployArgs),
    Ship(ShipArgs),
    Rollback(RollbackArgs),
    Restart(RestartArgs),
    Resume(ResumeArgs),
    Abort(AbortArgs),
    Pause(PauseArgs),
    Promote(PromoteArgs),
    Status(StatusArgs),
    History(HistoryArgs),
    Logs(LogsArgs),
    /// Prove that every in-service instance runs the current release
    ///
    /// Each must have a fresh receipt of the current release with the same image and the config that the
    /// config table holds now.
    #[command(after_help = ExitCode::help(&VERIFIES))]
    Verify,
    Lock(LockArgs),
    IamPolicy(IamPolicyArgs),
    /// Print a completion script for a shell
    Completions {
        shell: clap_complete::Shell,
    },
    /// Write the man pages of adf-ctl and adf-config
    #[command(hide = true)]
    Man {
        /// The folder that the pages are written to
        #[arg(long, default_value = ".", value_name = "PATH")]
        dir: PathBuf,
    },
}

/// The codes of a command that reads.
const READS: [ExitCode; 5] =
    [ExitCode::Done, ExitCode::Unexpected, ExitCode::Usage, ExitCode::NotFound, ExitCode::Unreachable];

/// The codes of `verify`.
const VERIFIES: [ExitCode; 6] = [
    ExitCode::Done,
    ExitCode::Unexpected,
    ExitCode::Usage,
    ExitCode::NotFound,
    ExitCode::DeployFailed,
    ExitCode::Unreachable,
];

/// The codes of a command that writes and may refuse to.
const WRITES: [ExitCode; 6] = [
    ExitCode::Done,
    ExitCode::Unexpected,
    ExitCode::Usage,
    ExitCode::NotFound,
    ExitCode::Refused,
    ExitCode::Unreachable,
];

/// The whole command line, for help snapshots, completions and man pages.
pub fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_is_sound() {
        super::command().debug_assert();
    }
}
