//! What can go wrong with config, and what the operator can do about it.

use adf_store::{StoreError, Use};
use adf_types::{AppName, ConfigName, ReleaseName};

use crate::connect::ConnectError;
use crate::exit::ExitCode;
use crate::identity::IdentityError;
use crate::import::ImportError;
use crate::instance::InstanceError;
use crate::report::Explain;
use crate::safety::Objection;
use crate::set::AssignmentError;
use crate::text::joined;

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot begin to talk to AWS")]
    Connect(#[from] ConnectError),
    #[error("cannot record who changes config")]
    Identity(#[from] IdentityError),
    #[error("no app is named, and no instance metadata tells of one")]
    NoApp,
    #[error("cannot tell which tables are meant")]
    Instance(#[from] InstanceError),
    #[error("a command and a flag of 2013 at once; nothing was done")]
    TwoVerbs,
    #[error("config name {name} is not set for {app}")]
    NoSuchName { app: AppName, name: ConfigName },
    #[error("config name {0} is a secret; it is not shown")]
    IsSecret(ConfigName),
    #[error("the config holds secrets, which are not shown: {}", joined(.0))]
    HasSecrets(Vec<ConfigName>),
    #[error("a secret's value does not belong on the command line, where every user of this machine sees it")]
    SecretOnCommandLine,
    #[error("the standard input is the value of one secret, and several are named")]
    OneSecretFromInput,
    #[error("the value of the secret was not read")]
    NoSecret(#[source] std::io::Error),
    #[error("nothing was written")]
    Import(#[from] ImportError),
    #[error("config name {0} has several lines, which this form cannot hold; use --format json or shell")]
    SeveralLines(ConfigName),
    #[error("no command is given")]
    NoCommand,
    #[error("cannot run {program}")]
    Exec { program: String, source: std::io::Error },
    #[error("the config of the app could not be read or written")]
    Store(#[from] StoreError),
    #[error("unknown app {0}: it has no Base config and no release")]
    UnknownApp(AppName),
    #[error("unknown release {release} of app {app}: it has no release record and no Overlay config; {}", known_releases(.known))]
    UnknownRelease { app: AppName, release: ReleaseName, known: Vec<ReleaseName> },
    #[error("nothing was written: {0}")]
    Assignment(#[from] AssignmentError),
    #[error("config name {0} is given twice; nothing was written")]
    NameTwice(ConfigName),
    #[error("nothing was written: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Objections(Vec<Objection>),
    #[error("only a part was written: {}", joined(.written))]
    InParts { written: Vec<ConfigName>, source: Box<StoreError> },
    #[error("the Overlay of {release} is in use: {}; nothing was cleaned up", .uses.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    InUse { release: ReleaseName, uses: Vec<Use> },
    #[error("nothing says what to restore")]
    RestoreWhat,
    #[error("the message has {0} bytes, and the history takes {max}; nothing was written", max = LONGEST_MESSAGE)]
    LongMessage(usize),
    #[error("a table of 2013 has Base config only, and a release is named")]
    MigrateRelease,
    #[error("table {from} has nothing of app {app}")]
    NothingToMigrate { app: AppName, from: String },
    #[error("not all of table {from} was copied")]
    NotAllMigrated { from: String },
}

/// What a reason in the history may have, in bytes.
pub const LONGEST_MESSAGE: usize = 1_000;

/// How many releases a message lists. More would hide the message.
const LISTED: usize = 8;

/// `releases: v1, v2`, for messages about a release that does not exist.
pub fn known_releases(known: &[ReleaseName]) -> String {
    if known.is_empty() {
        return "the app has no releases".to_owned();
    }
    let names: Vec<&str> = known.iter().rev().take(LISTED).map(ReleaseName::as_str).collect();
    let more = if known.len() > LISTED { ", ..." } else { "" };
    format!("releases: {}{more}", names.join(", "))
}

impl Explain for ConfigError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Connect(e) => e.exit_code(),
            Self::Store(e) => e.exit_code(),
            Self::Identity(_) => ExitCode::Unreachable,
            Self::UnknownApp(_)
            | Self::UnknownRelease { .. }
            | Self::NoSuchName { .. }
            | Self::NothingToMigrate { .. }
            | Self::Exec { .. } => ExitCode::NotFound,
            Self::Assignment(_)
            | Self::NameTwice(_)
            | Self::NoApp
            | Self::Instance(_)
            | Self::TwoVerbs
            | Self::SecretOnCommandLine
            | Self::OneSecretFromInput
            | Self::NoSecret(_)
            | Self::Import(_)
            | Self::SeveralLines(_)
            | Self::RestoreWhat
            | Self::LongMessage(_)
            | Self::MigrateRelease
            | Self::NoCommand => ExitCode::Usage,
            Self::InParts { source, .. } => source.exit_code(),
            Self::IsSecret(_)
            | Self::HasSecrets(_)
            | Self::Objections(_)
            | Self::InUse { .. }
            | Self::NotAllMigrated { .. } => ExitCode::Refused,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Connect(e) => e.hint(),
            Self::Store(e) => e.hint(),
            Self::Identity(_) => Some("check who you are with: aws sts get-caller-identity".to_owned()),
            Self::Instance(_) => Some("see docs/agent.md for the keys of agent.toml".to_owned()),
            Self::NoApp => Some("say --app APP".to_owned()),
            Self::TwoVerbs => Some("either a command (adf-config list) or a flag (adf-config -l)".to_owned()),
            Self::NoSuchName { app, .. } => Some(format!("see the names with: adf-config list -a {app}")),
            Self::IsSecret(_) | Self::HasSecrets(_) => {
                Some("--reveal shows secrets, and the history records who saw them".to_owned())
            }
            Self::SecretOnCommandLine => Some(
                "give the name alone; the value is asked for, or read from the standard input".to_owned(),
            ),
            Self::OneSecretFromInput => Some("set them one by one, or import --secret FILE".to_owned()),
            Self::Import(_) => Some("lines of NAME=value, or one JSON object of names and texts".to_owned()),
            Self::NoSecret(_) | Self::SeveralLines(_) | Self::NoCommand | Self::Exec { .. } => None,
            Self::UnknownApp(app) => Some(format!(
                "check the name and the region; an app begins with its first config \
                 (adf-config -s NAME=value -a {app}) or its first release"
            )),
            Self::UnknownRelease { .. } => Some("check the name with: adf-ctl release list".to_owned()),
            Self::Assignment(_) => Some("write NAME=value; a name has letters, digits and _".to_owned()),
            Self::NameTwice(_) => Some("give each name once".to_owned()),
            Self::Objections(_) => Some(
                "with --force it is done all the same, and the history says so; --release RELEASE changes one release"
                    .to_owned(),
            ),
            Self::InParts { .. } => Some(
                "mend it and repeat the command, with --based-on of what list --json tells now if it was given".to_owned(),
            ),
            Self::InUse { .. } => Some("see what would go with: adf-config gc --plan".to_owned()),
            Self::LongMessage(_) => Some("say it shorter, or name a ticket".to_owned()),
            Self::MigrateRelease => Some("leave --release out".to_owned()),
            Self::RestoreWhat => Some(
                "say --at TIME or --at ID, see adf-config history; or --release RELEASE for what clean-up took".to_owned(),
            ),
            Self::NothingToMigrate { .. } => Some("check the names of the table and of the app".to_owned()),
            Self::NotAllMigrated { .. } => {
                Some("set what is missing with: adf-config set NAME=VALUE; then repeat the command".to_owned())
            }
        }
    }
}

impl Explain for ConnectError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoRegion => ExitCode::Usage,
            Self::NoCredentials(_) => ExitCode::Unreachable,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoRegion => "say --region REGION, or set AWS_REGION",
            Self::NoCredentials(_) => {
                "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run: aws sso login"
            }
        };
        Some(hint.to_owned())
    }
}

impl Explain for StoreError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Throttled { .. }
            | Self::Unreachable { .. }
            | Self::AccessDenied { .. }
            | Self::KmsRefused { .. }
            | Self::KmsUnanswered { .. }
            | Self::ClockSkew { .. } => ExitCode::Unreachable,
            Self::TableMissing { .. }
            | Self::NoConfig { .. }
            | Self::CleanedUp { .. }
            | Self::UnknownChange { .. } => ExitCode::NotFound,
            Self::Refused { .. } | Self::Malformed { .. } | Self::LockLost { .. } => ExitCode::Unexpected,
            Self::Config { .. }
            | Self::Secret { .. }
            | Self::TooMany { .. }
            | Self::TooLarge { .. }
            | Self::UnknownVersion { .. } => ExitCode::Usage,
            Self::ReleaseExists { .. }
            | Self::DeployBegan { .. }
            | Self::OtherKeys { .. }
            | Self::WasSecret { .. }
            | Self::Purged { .. }
            | Self::LockHeld { .. }
            | Self::Changing { .. }
            | Self::Overwritten { .. } => ExitCode::Refused,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Throttled { .. } => "wait a moment and try again; an on-demand table adapts by itself",
            Self::Unreachable { .. } => {
                "check the network, the region and AWS_ENDPOINT_URL; the same command may be repeated"
            }
            Self::AccessDenied { .. } => "check who you are with: aws sts get-caller-identity",
            Self::TableMissing { .. } => {
                "create the tables with: adf-ctl init; or check the region and the account"
            }
            Self::OtherKeys { .. } => {
                "copy it to a table that ADF can use: docs/config.md, \"Moving to ADF\", and adf-config migrate"
            }
            Self::Malformed { .. } => "a newer version of ADF may have written it; update this one",
            Self::Config { .. } | Self::Secret { .. } => "set the name again, or unset it",
            Self::KmsUnanswered { .. } => "wait a moment and try again",
            Self::ClockSkew { .. } => "let the clock synchronise (timedatectl), then try again",
            Self::TooMany { .. } => "--in-parts makes several changes of it, each all or nothing",
            Self::TooLarge { .. } => {
                "keep large values elsewhere, S3 for instance, and their address in config"
            }
            Self::WasSecret { .. } => {
                "set it with --secret; --force stores it in clear, and the history says so"
            }
            Self::UnknownVersion { .. } => "list --json tells the version",
            Self::DeployBegan { .. } => "see what runs with: adf-ctl status; then repeat the command",
            Self::ReleaseExists { .. } => "give the new content a new name",
            Self::LockHeld { .. } => "see whether its holder is at work with: adf-ctl lock show",
            Self::LockLost { .. } => "see who goes on with: adf-ctl status",
            Self::UnknownChange { .. } => "see the changes with: adf-config history",
            Self::Overwritten { .. } => "see what it is now with: adf-config history",
            Self::NoConfig { .. } => "check the names of app and release",
            Self::Refused { .. }
            | Self::Changing { .. }
            | Self::CleanedUp { .. }
            | Self::Purged { .. }
            | Self::KmsRefused { .. } => return None,
        };
        Some(hint.to_owned())
    }
}
