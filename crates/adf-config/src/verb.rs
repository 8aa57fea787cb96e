//! The verbs on an app's config, as `adf-config VERB` and `adf-ctl config VERB` take them, and their dispatch.

use std::ffi::OsString;
use std::path::PathBuf;

use adf_store::{Moment, Signature, Store};
use adf_types::{AppName, ConfigName, ReleaseName};
use aws_config::SdkConfig;
use clap::{Args, Subcommand};

use crate::cli::EXIT_CODES;
use crate::error::ConfigError;
use crate::exit::ExitCode;
use crate::export::Form;
use crate::get::Got;
use crate::identity::identity;
use crate::printer::Printer;
use crate::set::Assignment;
use crate::{diff, exec, export, get, history, import, list, restore, secret, set, unset};

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Print config as NAME=value lines, sorted by name; with --release, what that release sees
    ///
    /// Control characters in values are escaped; --json shows values exactly.
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    List,
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
        #[arg(required = true, value_name = "NAME=VALUE")]
        assignments: Vec<String>,
        #[command(flatten)]
        secret: Secret,
        #[command(flatten)]
        why: Why,
    },
    /// Delete names, all or none; with --release, hide Base names from that release
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Unset {
        #[arg(required = true, value_name = "NAME")]
        names: Vec<ConfigName>,
        #[command(flatten)]
        why: Why,
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
        why: Why,
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
    /// The program takes the place of this one, and its exit code is what the shell sees. Nothing is written to disk.
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
    /// Make config what it was at a time, or after a change
    ///
    /// Base config, or with --release that release's Overlay. It is a change like any other: it is recorded, and can be
    /// taken back the same way.
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Restore {
        /// The time, such as 2026-01-31T09:30:00Z; or the id of a change in the history, for what was right after it
        #[arg(long, value_name = "TIME|ID", value_parser = moment)]
        at: Moment,
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
    /// The KMS key that --secret encrypts with: its id, ARN or alias
    #[arg(long, env = "ADF_KMS_KEY", value_name = "KEY", default_value = "alias/adf")]
    pub kms_key: String,
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
        match self {
            Self::Set { assignments, secret: Secret { secret: false, .. }, .. } => {
                set::assignments(assignments)?;
            }
            Self::Set { assignments, .. } => {
                secret::names(assignments)?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// Which config is meant, and who asks.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub sdk: &'a SdkConfig,
    pub store: &'a Store,
    pub app: &'a AppName,
    /// The release whose Overlay is meant; nothing for Base.
    pub release: Option<&'a ReleaseName>,
}

impl Subject<'_> {
    /// The store for a change: the history says whose it is.
    async fn signed(&self, why: Why) -> Result<Store, ConfigError> {
        let by = identity(self.sdk).await?;
        Ok(self.store.clone().signed(Signature { by, why: why.message }))
    }

    async fn set(
        &self,
        printer: Printer,
        assignments: Vec<Assignment>,
        secret: Secret,
        why: Why,
    ) -> Result<(), ConfigError> {
        let key = secret.secret.then_some(secret.kms_key.as_str());
        let store = self.signed(why).await?;
        let done = set::set(&store, self.app, self.release, key, assignments).await?;
        printer.note(&done.summary());
        printer.data(&done);
        Ok(())
    }

    async fn get(&self, name: &ConfigName, reveal: Reveal) -> Result<Got, ConfigError> {
        match get::get(self.store, self.app, self.release, name).await {
            Err(ConfigError::IsSecret(_)) if reveal.reveal => {
                let config = export::read(self.store, self.app, self.release).await?;
                self.shown(vec![name.clone()], reveal).await?;
                get::of(&config, self.app, self.release, name)
            }
            other => other,
        }
    }

    /// Records that secrets are shown, before they are; refuses to show them unasked.
    async fn shown(&self, secrets: Vec<ConfigName>, reveal: Reveal) -> Result<(), ConfigError> {
        if secrets.is_empty() {
            return Ok(());
        }
        if !reveal.reveal {
            return Err(ConfigError::HasSecrets(secrets));
        }
        let store = self.signed(Why::default()).await?;
        Ok(store.record_reveal(self.app, self.release, &secrets).await?)
    }
}

/// Does what the verb says and prints the result.
pub async fn run(subject: Subject<'_>, printer: Printer, verb: Verb) -> Result<(), ConfigError> {
    let Subject { store, app, release, .. } = subject;
    match verb {
        Verb::List => printer.data(&list::list(store, app, release).await?),
        Verb::Get { name, reveal } => printer.data(&subject.get(&name, reveal).await?),
        Verb::Set { assignments, secret, why } => {
            let assignments = if secret.secret {
                secret::ask(&secret::names(&assignments)?)?
            } else {
                set::assignments(&assignments)?
            };
            subject.set(printer, assignments, secret, why).await?;
        }
        Verb::Import { file, secret, why } => {
            subject.set(printer, import::read(&file)?, secret, why).await?;
        }
        Verb::Export { format, reveal } => {
            let config = export::read(store, app, release).await?;
            subject.shown(config.secrets().map(|(name, _)| name.clone()).collect(), reveal).await?;
            printer.data(&export::write(&config, format)?);
        }
        Verb::Diff { from, to } => printer.data(&diff::diff(store, app, &from, &to).await?),
        Verb::Exec { command } => {
            let config = export::read(store, app, release).await?;
            match exec::exec(app, release, &config, &command)? {}
        }
        Verb::Unset { names, why } => {
            let done = unset::unset(&subject.signed(why).await?, app, release, names).await?;
            printer.note(&done.summary());
            printer.data(&done);
        }
        Verb::History { name, limit } => {
            printer.data(&history::history(store, app, name.as_ref(), limit).await?);
        }
        Verb::Restore { at, why } => {
            let done = restore::restore(&subject.signed(why).await?, app, release, &at).await?;
            printer.note(&done.summary());
            printer.data(&done);
        }
    }
    Ok(())
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
