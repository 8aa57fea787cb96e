//! The command line of `adf-config`: definitions only.

use adf_types::{AppName, ConfigName, ReleaseName};
use clap::{ArgGroup, CommandFactory, Parser};
use clap_complete::Shell;

use crate::exit::ExitCode;
use crate::printer::Format;
use crate::verb::{Secret, Terms, Verb};

/// The codes that `adf-config` and `adf-ctl config` can end with.
pub const EXIT_CODES: [ExitCode; 6] = [
    ExitCode::Done,
    ExitCode::Unexpected,
    ExitCode::Usage,
    ExitCode::NotFound,
    ExitCode::Refused,
    ExitCode::Unreachable,
];

/// Lists, sets and deletes an app's config: the environment variables its releases start with
///
/// Either a command, or one of the flags of 2013: --list, --set, --delete. Config lives in the DynamoDB table adf-config. Base config applies to every release of the app; with
/// --release, the Overlay config of that one release is meant. Instances read config when they boot.
#[derive(Debug, Parser)]
#[command(name = "adf-config", version, max_term_width = 100)]
#[command(group = ArgGroup::new("flag").required(true))]
#[command(subcommand_negates_reqs = true)]
#[command(after_help = ExitCode::help(&EXIT_CODES))]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Option<Verb>,

    /// List config as NAME=value lines, sorted by name
    ///
    /// With --release: what that release sees, which is Base config and then its Overlay. Control
    /// characters in values are escaped; --json shows values exactly.
    #[arg(short, long, group = "flag")]
    pub list: bool,

    /// Set a name to a value; may be given several times
    #[arg(short, long, value_name = "NAME=VALUE", group = "flag")]
    pub set: Vec<String>,

    /// Delete a name; may be given several times
    ///
    /// With --release, a name of Base config is hidden from that release.
    #[arg(short, long, value_name = "NAME", group = "flag")]
    pub delete: Vec<ConfigName>,

    /// Print the completion script of a shell
    #[arg(long, value_name = "SHELL", value_enum, group = "flag")]
    pub completions: Option<Shell>,

    #[arg(help = "The app whose config is meant [default: on an instance, the app it runs]")]
    #[arg(short, long, global = true)]
    pub app: Option<AppName>,

    /// The release whose Overlay config is meant
    #[arg(short, long, global = true)]
    pub release: Option<ReleaseName>,

    #[arg(help = "The AWS region [default: AWS_REGION, the AWS profile, or instance metadata]")]
    #[arg(short = 'z', long, global = true)]
    pub region: Option<String>,

    /// Print the result as JSON
    #[arg(long, global = true)]
    pub json: bool,
}

impl Cli {
    /// The verb, in whichever of the two ways it was said; nothing when both were used at once.
    pub fn verb(&mut self) -> Option<Verb> {
        let flag = if !self.set.is_empty() {
            let assignments = std::mem::take(&mut self.set);
            let (secret, terms) = (Secret::default(), Terms::default());
            Some(Verb::Set { assignments, unset: Vec::new(), secret, terms })
        } else if !self.delete.is_empty() {
            Some(Verb::Unset { names: std::mem::take(&mut self.delete), terms: Terms::default() })
        } else {
            self.list.then_some(Verb::List)
        };
        match (self.verb.take(), flag) {
            (Some(verb), None) | (None, Some(verb)) => Some(verb),
            _ => None,
        }
    }

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
            let mut cli = Cli::try_parse_from(line.split(' ')).expect(line);
            assert!(cli.verb().is_some() && cli.app.is_some(), "{line}");
        }
    }

    #[test]
    fn a_command_takes_the_place_of_a_flag_and_does_not_stand_beside_one() {
        let read = |line: &str| Cli::try_parse_from(line.split(' ')).expect("valid").verb();
        assert!(matches!(read("adf-config get FOO -a web"), Some(Verb::Get { .. })));
        assert!(matches!(read("adf-config -a web set A=1 B=2 -m because"), Some(Verb::Set { .. })));
        assert!(matches!(read("adf-config -s A=1 -a web"), Some(Verb::Set { .. })));
        assert!(read("adf-config -l -a web get FOO").is_none());
    }

    #[test]
    fn two_verbs_at_once_are_refused() {
        assert!(Cli::try_parse_from("adf-config -l -d FOO -a web".split(' ')).is_err());
    }
}
