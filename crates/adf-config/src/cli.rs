//! The command line of `adf-config`: definitions only.

use adf_types::{AppName, ConfigName, ReleaseName};
use clap::{ArgGroup, CommandFactory, Parser};

use crate::exit::ExitCode;
use crate::printer::Format;

/// The codes that `adf-config` and `adf-ctl config` can end with.
pub const EXIT_CODES: [ExitCode; 5] =
    [ExitCode::Done, ExitCode::Unexpected, ExitCode::Usage, ExitCode::NotFound, ExitCode::Unreachable];

/// Lists, sets and deletes an app's config: the environment variables its releases start with
///
/// Config lives in the DynamoDB table adf-config. Base config applies to every release of the app; with
/// --release, the Overlay config of that one release is meant. Instances read config when they boot.
#[derive(Debug, Parser)]
#[command(name = "adf-config", version, max_term_width = 100)]
#[command(group = ArgGroup::new("verb").required(true))]
#[command(after_help = ExitCode::help(&EXIT_CODES))]
pub struct Cli {
    /// List config as NAME=value lines, sorted by name
    ///
    /// With --release: what that release sees, which is Base config and then its Overlay. Control
    /// characters in values are escaped; --json shows values exactly.
    #[arg(short, long, group = "verb")]
    pub list: bool,

    /// Set a name to a value; may be given several times
    #[arg(short, long, value_name = "NAME=VALUE", group = "verb")]
    pub set: Vec<String>,

    /// Delete a name; may be given several times
    ///
    /// With --release, a name of Base config is hidden from that release.
    #[arg(short, long, value_name = "NAME", group = "verb")]
    pub delete: Vec<ConfigName>,

    /// The app whose config is meant
    #[arg(short, long)]
    pub app: AppName,

    /// The release whose Overlay config is meant
    #[arg(short, long)]
    pub release: Option<ReleaseName>,

    #[arg(help = "The AWS region [default: AWS_REGION, the AWS profile, or instance metadata]")]
    #[arg(short = 'z', long)]
    pub region: Option<String>,

    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

impl Cli {
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { Format::Text }
    }
}

/// The whole command line, for help snapshots and the man page.
pub fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn the_command_lines_of_2013_are_read() {
        for line in [
            "adf-config -l -a web",
            "adf-config -z eu-west-1 -s FOO=bar -s BAZ=a=b -a web",
            "adf-config -d FOO -a web",
        ] {
            Cli::try_parse_from(line.split(' ')).expect(line);
        }
    }

    #[test]
    fn two_verbs_at_once_are_refused() {
        assert!(Cli::try_parse_from("adf-config -l -d FOO -a web".split(' ')).is_err());
    }
}
