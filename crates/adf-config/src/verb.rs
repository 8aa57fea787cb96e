//! The verbs on an app's config, as `adf-config VERB` and `adf-ctl config VERB` take them, and their dispatch.

use adf_store::{Moment, Signature, Store};
use adf_types::{AppName, ConfigName, ReleaseName};
use aws_config::SdkConfig;
use clap::{Args, Subcommand};

use crate::cli::EXIT_CODES;
use crate::error::ConfigError;
use crate::exit::ExitCode;
use crate::identity::identity;
use crate::printer::Printer;
use crate::{get, history, list, restore, set, unset};

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Print config as NAME=value lines, sorted by name; with --release, what that release sees
    ///
    /// Control characters in values are escaped; --json shows values exactly.
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    List,
    /// Print one value, exactly; with --release, as that release sees it
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Get {
        #[arg(value_name = "NAME")]
        name: ConfigName,
    },
    /// Set names to values, all or none
    #[command(after_help = ExitCode::help(&EXIT_CODES))]
    Set {
        #[arg(required = true, value_name = "NAME=VALUE")]
        assignments: Vec<String>,
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
        if let Self::Set { assignments, .. } = self {
            set::assignments(assignments)?;
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
}

/// Does what the verb says and prints the result.
pub async fn run(subject: Subject<'_>, printer: Printer, verb: Verb) -> Result<(), ConfigError> {
    let Subject { store, app, release, .. } = subject;
    match verb {
        Verb::List => printer.data(&list::list(store, app, release).await?),
        Verb::Get { name } => printer.data(&get::get(store, app, release, &name).await?),
        Verb::Set { assignments, why } => {
            let assignments = set::assignments(&assignments)?;
            let done = set::set(&subject.signed(why).await?, app, release, assignments).await?;
            printer.note(&done.summary());
            printer.data(&done);
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
