//! The verbs on an app's config, as `adf-config VERB` and `adf-ctl config VERB` take them: definitions only.

use std::ffi::OsString;
use std::path::PathBuf;

use adf_store::{ConfigVersion, Moment};
use adf_types::{ConfigName, ReleaseName};
use clap::{Args, Subcommand};

use crate::cli::EXIT_CODES;
use crate::error::{ConfigError, LONGEST_MESSAGE};
use crate::exit::ExitCode;
use crate::export::Form;
use crate::{secret, set};

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Print config as NAME=value lines, sorted by name; with --release, what that release sees
    ///
    /// Control characters in values are escaped; --json shows values exactly.
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    List,
    /// Print config with the layer that each name comes from
    ///
    /// With --release, what that release sees, and what its Overlay hides. Without --explain it is the same as list.
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Show {
        /// Tell for each name which layer it comes from, and what Base says instead
        #[arg(long)]
        explain: bool,
    },
    /// Print one value, exactly; with --release, as that release sees it
    ///
    /// A secret is printed only with --reveal, and that is recorded in the history.
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Get {
        #[arg(value_name = "NAME")]
        name: ConfigName,
        #[command(flatten)]
        reveal: Reveal,
    },
    /// Set names to values, all or none
    ///
    /// A secret is given by its name alone: its value is asked for, or read from the standard input, because a command
    /// line is seen by every user of the machine.
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Set {
        #[arg(required_unless_present = "unset", value_name = "NAME=VALUE")]
        assignments: Vec<String>,
        /// Unset a name in the same change; may be given several times. So a name is renamed
        #[arg(long, value_name = "NAME")]
        unset: Vec<ConfigName>,
        #[command(flatten)]
        secret: Secret,
        #[command(flatten)]
        terms: Terms,
    },
    /// Delete names, all or none; with --release, hide Base names from that release
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Unset {
        #[arg(required = true, value_name = "NAME")]
        names: Vec<ConfigName>,
        #[command(flatten)]
        terms: Terms,
    },
    /// Set names to what a file says, all or none: a .env file, or a JSON object
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Import {
        /// The file; - is the standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        secret: Secret,
        #[command(flatten)]
        terms: Terms,
    },
    /// Print the whole config in a form that other programs read; with --release, what that release sees
    ///
    /// A config with secrets is printed only with --reveal, and that is recorded in the history.
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Export {
        #[arg(short, long, value_enum, default_value = "env")]
        format: Form,
        #[command(flatten)]
        reveal: Reveal,
    },
    /// Show what two releases see differently
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Diff {
        #[arg(value_name = "RELEASE")]
        from: ReleaseName,
        #[arg(value_name = "RELEASE")]
        to: ReleaseName,
    },
    /// Run a program with the config as its environment; with --release, with what that release sees
    ///
    /// The program takes the place of this one, and its exit code is what the shell sees. Nothing is written to disk. It is
    /// given secrets, too, which the history does not record.
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Exec {
        #[arg(last = true, required = true, value_name = "COMMAND")]
        command: Vec<OsString>,
    },
    /// Show who changed what, when and why, newest first
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    History {
        /// Only the changes of this name
        #[arg(value_name = "NAME")]
        name: Option<ConfigName>,
        /// How many changes to show
        #[arg(short = 'n', long, default_value_t = 20)]
        limit: usize,
    },
    /// Make config what it was at a time, or after a change; or bring back what clean-up took away
    ///
    /// Base config, or with --release that release's Overlay. It is a change like any other: it is recorded, and can be
    /// taken back the same way. Without --at: what clean-up took from the Overlay of --release.
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Restore {
        /// The time, such as 2026-01-31T09:30:00Z; or the id of a change in the history, for what was right after it
        #[arg(long, value_name = "TIME|ID", value_parser = moment)]
        at: Option<Moment>,
        #[command(flatten)]
        why: Why,
        #[command(flatten)]
        force: Force,
    },
    /// Encrypt the secrets anew, with a new data key of the KMS key; with --release, those of its Overlay only
    ///
    /// What they say does not change, and neither does what the history holds: to restore an old secret still needs the
    /// KMS key that it was encrypted with.
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Rekey {
        #[command(flatten)]
        key: KmsKey,
        #[command(flatten)]
        why: Why,
    },
    /// Clean up the Overlays of releases that nothing uses; with --release, that of this release
    ///
    /// What is cleaned up can be restored for 30 days (restore --release RELEASE, or a deploy of the release), and is then
    /// deleted. An Overlay is in use while the release is current, while the receipt of an instance or a deploy that
    /// has not ended names it, and before the release is deployed for the first time.
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Gc {
        /// Only show what would be cleaned up, and for every Overlay why or why not
        #[arg(long)]
        plan: bool,
        #[command(flatten)]
        why: Why,
    },
    /// Copy config from a table of 2013 whose range key is Value, as the first documentation said
    ///
    /// The old table is only read, and nothing that is set already is written over. A name that has several values
    /// there is shown and not copied.
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Migrate {
        /// The old table
        #[arg(long, value_name = "TABLE")]
        from: String,
        #[command(flatten)]
        why: Why,
    },
}

fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(time) = text.parse() {
        return Ok(Moment::Time(time));
    }
    // The ids of changes have this form; what has another is a time that was mistyped.
    let is_id = text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    is_id
        .then(|| Moment::After(text.to_owned()))
        .ok_or_else(|| "it is neither a time such as 2026-01-31T09:30:00Z nor the id of a change".to_owned())
}

/// Whether values are secrets, and under which key.
#[derive(Debug, Clone, Default, Args)]
pub struct Secret {
    /// Store the values encrypted
    #[arg(long)]
    pub secret: bool,
    #[command(flatten)]
    pub key: KmsKey,
}

#[derive(Debug, Clone, Args)]
pub struct KmsKey {
    /// The KMS key that secrets are encrypted with: its id, ARN or alias
    #[arg(long, env = "ADF_KMS_KEY", value_name = "KEY", default_value = "alias/adf")]
    pub kms_key: String,
}

impl Default for KmsKey {
    fn default() -> Self {
        Self { kms_key: "alias/adf".to_owned() }
    }
}

/// What is said of a change that operators make by hand.
#[derive(Debug, Clone, Default, Args)]
pub struct Terms {
    #[command(flatten)]
    pub why: Why,
    #[command(flatten)]
    pub force: Force,
    /// Write over nothing that was written after this version, which list --json tells
    #[arg(long, value_name = "VERSION")]
    pub based_on: Option<ConfigVersion>,
    /// Make a change of more names than fit into one in several, in the order of the names, each all or nothing
    #[arg(long)]
    pub in_parts: bool,
}

/// Whether objections are overruled.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Force {
    /// Make the change although a release that runs, or may be rolled back to, would not start with it; this is recorded
    #[arg(long)]
    pub force: bool,
}

/// Whether secrets may be shown.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct Reveal {
    /// Show secrets, and record in the history who saw them
    #[arg(long)]
    pub reveal: bool,
}

/// What the author of a change says about it.
#[derive(Debug, Clone, Default, Args)]
pub struct Why {
    /// Why, for the history
    #[arg(short = 'm', long = "message", value_name = "TEXT")]
    pub message: Option<String>,
}

impl Verb {
    /// What was typed is looked at before AWS is asked anything.
    pub fn check(&self) -> Result<(), ConfigError> {
        if let Some(message) = self.message().filter(|message| message.len() > LONGEST_MESSAGE) {
            return Err(ConfigError::LongMessage(message.len()));
        }
        match self {
            Self::Set { assignments, unset, secret: Secret { secret: false, .. }, .. } => {
                set::edits(None, set::assignments(assignments)?, unset.clone())?;
            }
            Self::Set { assignments, .. } => {
                secret::names(assignments)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn message(&self) -> Option<&String> {
        match self {
            Self::Set { terms: Terms { why, .. }, .. }
            | Self::Unset { terms: Terms { why, .. }, .. }
            | Self::Import { terms: Terms { why, .. }, .. }
            | Self::Restore { why, .. }
            | Self::Rekey { why, .. }
            | Self::Gc { why, .. }
            | Self::Migrate { why, .. } => why.message.as_ref(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_a_change() {
        assert_eq!(moment("1970-01-01T00:00:00Z"), Ok(Moment::Time(jiff::Timestamp::UNIX_EPOCH)));
        let id = "0199f0c4-7a4e-7c1a-9d8e-2f6b1c3d4e5f";
        assert_eq!(moment(id), Ok(Moment::After(id.to_owned())));
        assert!(moment("yesterday").is_err());
    }
}
