//! Setting names of an app's config.

use std::collections::BTreeSet;
use std::str::FromStr;

use adf_store::Store;
use adf_types::{AppName, ConfigName, ConfigNameError, ConfigValue, ReleaseName};
use serde::Serialize;

use crate::error::ConfigError;
use crate::list::layer_in_words;
use crate::printer::Text;

/// `NAME=VALUE` as typed. The value may hold further `=` and may be empty.
///
/// It is parsed here and not by clap, which repeats what it cannot parse: a value may be a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Assignment {
    pub name: ConfigName,
    pub value: String,
}

impl std::fmt::Debug for Assignment {
    /// Without the value: it may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Assignment").field("name", &self.name).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    /// The text is not repeated: it may be a value that was typed without its name.
    #[error("there is no \"=\" in it; write NAME=value")]
    NoEquals,
    #[error(transparent)]
    Name(#[from] ConfigNameError),
}

impl FromStr for Assignment {
    type Err = AssignmentError;

    fn from_str(s: &str) -> Result<Self, AssignmentError> {
        let (name, value) = s.split_once('=').ok_or(AssignmentError::NoEquals)?;
        Ok(Self { name: name.parse()?, value: value.to_owned() })
    }
}

/// Which names were set; never their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Set {
    pub app: AppName,
    pub release: Option<ReleaseName>,
    pub set: Vec<ConfigName>,
}

impl Set {
    /// One sentence for the operator.
    pub fn summary(&self) -> String {
        let names: Vec<&str> = self.set.iter().map(ConfigName::as_str).collect();
        let layer = layer_in_words(&self.app, self.release.as_ref());
        format!("set {} in {layer}; instances read it when they boot", names.join(", "))
    }
}

impl Text for Set {
    fn text(&self) -> String {
        String::new()
    }
}

/// Reads `NAME=VALUE` texts, all or none.
pub fn assignments(texts: &[String]) -> Result<Vec<Assignment>, AssignmentError> {
    texts.iter().map(|text| text.parse()).collect()
}

/// Sets names in Base config, or in the Overlay of `release`: encrypted, where there is a KMS key. Nothing is written
/// when a name is given twice.
pub async fn set(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
    kms_key: Option<&str>,
    assignments: Vec<Assignment>,
) -> Result<Set, ConfigError> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = assignments.iter().find(|a| !seen.insert(&a.name)) {
        return Err(ConfigError::NameTwice(twice.name.clone()));
    }
    let set = assignments.iter().map(|assignment| assignment.name.clone()).collect();
    match kms_key {
        None => {
            let pairs: Vec<_> = assignments.into_iter().map(|a| (a.name, a.value)).collect();
            store.set_config(app, release, &pairs).await?;
        }
        Some(key) => {
            let secret = |a: Assignment| (a.name, ConfigValue::secret(a.value));
            let secrets: Vec<_> = assignments.into_iter().map(secret).collect();
            store.set_secrets(app, release, key, &secrets).await?;
        }
    }
    Ok(Set { app: app.clone(), release: release.cloned(), set })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_equals_sign_divides() {
        let assignment: Assignment = "A=b=c".parse().expect("valid");
        assert_eq!((assignment.name.as_str(), assignment.value.as_str()), ("A", "b=c"));
    }

    #[test]
    fn an_empty_value_is_a_value() {
        assert_eq!("A=".parse::<Assignment>().expect("valid").value, "");
    }

    #[test]
    fn a_bad_name_is_refused_without_its_value() {
        let error = "DB PASS=hunter2".parse::<Assignment>().expect_err("a space").to_string();
        assert!(error.contains("E153 config name \"DB PASS\"") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn a_text_without_equals_sign_is_refused_without_being_repeated() {
        let error = "hunter2".parse::<Assignment>().expect_err("no name");
        assert!(!error.to_string().contains("hunter2"));
    }
}
