//! Setting names of an app's config.

use std::collections::BTreeSet;
use std::str::FromStr;

use adf_store::{Edits, Store};
use adf_types::{AppName, ConfigName, ConfigNameError, ConfigValue, ReleaseName};
use serde::Serialize;

use crate::error::ConfigError;
use crate::list::layer_in_words;
use crate::printer::Text;
use crate::text::joined;

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

/// Which names were set and unset; never their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Set {
    pub app: AppName,
    pub release: Option<ReleaseName>,
    pub set: Vec<ConfigName>,
    pub unset: Vec<ConfigName>,
}

impl Set {
    fn add(&mut self, edits: &Edits) {
        self.set.extend(edits.set.iter().map(|(name, _)| name.clone()));
        self.unset.extend(edits.unset.iter().cloned());
    }

    /// One sentence for the operator.
    pub fn summary(&self) -> String {
        let layer = layer_in_words(&self.app, self.release.as_ref());
        let clause = |verb: &str, names: &[ConfigName]| {
            (!names.is_empty()).then(|| format!("{verb} {}", joined(names)))
        };
        let clauses = [clause("set", &self.set), clause("unset", &self.unset)];
        let clauses: Vec<_> = clauses.into_iter().flatten().collect();
        format!("{} in {layer}; instances read it when they boot", clauses.join(" and "))
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

/// The change that sets and unsets names; encrypted, where there is a KMS key. A name that is given twice is refused.
pub fn edits(
    kms_key: Option<&str>,
    assignments: Vec<Assignment>,
    unset: Vec<ConfigName>,
) -> Result<Edits, ConfigError> {
    let mut seen = BTreeSet::new();
    let names = assignments.iter().map(|assignment| &assignment.name).chain(&unset);
    if let Some(twice) = names.into_iter().find(|name| !seen.insert(*name)) {
        return Err(ConfigError::NameTwice(twice.clone()));
    }
    let value = |a: Assignment| match kms_key {
        Some(_) => (a.name, ConfigValue::secret(a.value)),
        None => (a.name, ConfigValue::plain(a.value)),
    };
    let set = assignments.into_iter().map(value).collect();
    Ok(Edits { set, key: kms_key.map(str::to_owned), unset, ..Edits::default() })
}

/// Changes Base config, or the Overlay of `release`: in one change, all of it or nothing; or, where that is said, in parts
/// of any number, in the order of the names, each all or nothing. The first that fails ends it, and the error tells what
/// was written.
pub async fn set(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
    edits: &Edits,
    in_parts: bool,
) -> Result<Set, ConfigError> {
    let mut done = Set { app: app.clone(), release: release.cloned(), set: Vec::new(), unset: Vec::new() };
    if !in_parts {
        store.edit_config(app, release, edits).await?;
        done.add(edits);
        return Ok(done);
    }
    // What cannot be stored is found before a part is written.
    Store::check_edits(app, release, edits)?;
    for part in parts(edits) {
        match store.edit_config(app, release, &part).await {
            Ok(()) => done.add(&part),
            Err(error) if done.set.is_empty() && done.unset.is_empty() => return Err(error.into()),
            Err(source) => {
                let written = done.set.into_iter().chain(done.unset).collect();
                return Err(ConfigError::InParts { written, source: Box::new(source) });
            }
        }
    }
    Ok(done)
}

/// Names in one part, some less than a change takes: the history may need their places.
const NAMES_IN_A_PART: usize = 90;

/// Bytes of values in one part. A transaction takes 4 MB, and what the names were before goes along.
const BYTES_IN_A_PART: usize = 1_500_000;

fn parts(edits: &Edits) -> Vec<Edits> {
    let mut set = edits.set.clone();
    set.sort_by(|(a, _), (b, _)| a.cmp(b));
    let part = || Edits {
        key: edits.key.clone(),
        basis: edits.basis,
        fence: edits.fence.clone(),
        ..Edits::default()
    };
    let (mut parts, mut bytes) = (vec![part()], 0);
    for (name, value) in set {
        let length = value.expose().len();
        let filled = parts.last().map_or(0, |part| part.set.len());
        if filled > 0 && (filled >= NAMES_IN_A_PART || bytes + length > BYTES_IN_A_PART) {
            parts.push(part());
            bytes = 0;
        }
        bytes += length;
        if let Some(part) = parts.last_mut() {
            part.set.push((name, value));
        }
    }
    for names in edits.unset.chunks(NAMES_IN_A_PART) {
        parts.push(Edits { unset: names.to_vec(), ..part() });
    }
    parts.retain(|part| !part.set.is_empty() || !part.unset.is_empty());
    parts
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
