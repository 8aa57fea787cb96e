//! Consent to what cannot be taken back.
//!
//! The rule: a destructive call takes a [`Consent`], and only `--yes APP` or the app's name, typed at a prompt, makes
//! one.

use std::io::{BufRead, IsTerminal as _};

use adf_types::AppName;

use crate::error::CtlError;
use crate::printer::plain;

/// Somebody agreed, for this app.
#[derive(Debug)]
pub struct Consent(AppName);

/// Who can be asked.
pub enum Who<'a> {
    /// A person at a terminal, who types.
    Terminal(&'a mut dyn BufRead),
    /// A job, which said everything on its command line.
    Nobody,
}

impl std::fmt::Debug for Who<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Terminal(_) => "Terminal",
            Self::Nobody => "Nobody",
        })
    }
}

impl Consent {
    /// Consent to `what`, from `--yes` or from standard input.
    pub fn obtain(what: &str, app: &AppName, yes: Option<&AppName>) -> Result<Self, CtlError> {
        if std::io::stdin().is_terminal() {
            Self::from(what, app, yes, Who::Terminal(&mut std::io::stdin().lock()))
        } else {
            Self::from(what, app, yes, Who::Nobody)
        }
    }

    pub fn from(what: &str, app: &AppName, yes: Option<&AppName>, who: Who<'_>) -> Result<Self, CtlError> {
        match (yes, who) {
            (Some(yes), _) if yes == app => Ok(Self(app.clone())),
            (Some(yes), _) => Err(refused(format!("--yes says {yes}, and the app is {app}"), app)),
            (None, Who::Nobody) => {
                Err(refused(format!("{what} wants consent, and there is no terminal to ask at"), app))
            }
            (None, Who::Terminal(input)) => {
                eprint!("{}\ntype the app's name, {app}, to go on: ", plain(what));
                let mut typed = String::new();
                // A line that cannot be read is no consent.
                let _ = input.read_line(&mut typed);
                if typed.trim() == app.as_str() {
                    return Ok(Self(app.clone()));
                }
                Err(refused(format!("what was typed is not {app}"), app))
            }
        }
    }

    pub fn app(&self) -> &AppName {
        &self.0
    }
}

fn refused(reason: String, app: &AppName) -> CtlError {
    CtlError::Refused {
        reason,
        hint: format!("nothing was changed; to agree, type the app's name or say --yes {app}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app() -> AppName {
        "web".parse().expect("a name")
    }

    fn typed(line: &str) -> Result<Consent, CtlError> {
        Consent::from("breaking the lock", &app(), None, Who::Terminal(&mut line.as_bytes()))
    }

    #[test]
    fn the_apps_name_is_consent_and_nothing_else_is() {
        assert_eq!(typed("web\n").expect("consent").app(), &app());
        for line in ["", "\n", "y\n", "yes\n", "web2\n", "webb"] {
            assert!(typed(line).is_err(), "{line:?}");
        }
    }

    #[test]
    fn yes_must_name_the_same_app() {
        let yes = |name: &str| {
            let name = name.parse().expect("a name");
            Consent::from("breaking the lock", &app(), Some(&name), Who::Nobody)
        };
        assert!(yes("web").is_ok());
        assert!(yes("web-staging").expect_err("another app").to_string().contains("--yes says web-staging"));
    }

    #[test]
    fn a_job_that_said_nothing_did_not_agree() {
        let error = Consent::from("breaking the lock", &app(), None, Who::Nobody).expect_err("nobody agreed");
        assert!(error.to_string().contains("no terminal"), "{error}");
    }
}
