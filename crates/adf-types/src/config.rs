//! An app's environment variables.
//!
//! Base config applies to every release, Overlay config to one; what a release sees is Base, then its
//! Overlay. The store reads the layers; this type is the result.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The name of an environment variable: a letter or `_`, then letters, digits, `_`; at most 255.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConfigName(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigNameError {
    #[error("E153 config name \"{}\" is not a valid environment variable name; use letters, digits and _", .0.escape_debug())]
    Invalid(String),
    #[error("E153 config name \"{0}\" is set by the agent itself and cannot be config")]
    Reserved(String),
}

/// Names the agent sets in every container, see [`Config::with_identity`].
const RESERVED: [&str; 2] = ["APP", "RELEASE"];

impl ConfigName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ConfigName {
    type Err = ConfigNameError;

    fn from_str(s: &str) -> Result<Self, ConfigNameError> {
        let starts = s.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        let rest = s.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !starts || !rest || s.len() > 255 {
            return Err(ConfigNameError::Invalid(s.to_owned()));
        }
        if RESERVED.contains(&s) || s.starts_with("ADF_") {
            return Err(ConfigNameError::Reserved(s.to_owned()));
        }
        Ok(Self(s.to_owned()))
    }
}

impl TryFrom<String> for ConfigName {
    type Error = ConfigNameError;

    fn try_from(s: String) -> Result<Self, ConfigNameError> {
        s.parse()
    }
}

impl From<ConfigName> for String {
    fn from(name: ConfigName) -> Self {
        name.0
    }
}

impl fmt::Display for ConfigName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The complete config that one release sees. `Debug` shows names only: values may be secrets.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Config(BTreeMap<ConfigName, String>);

/// Names that the release requires and the config does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config lacks {}, required by the release's adf.toml", .0.iter().map(ConfigName::as_str).collect::<Vec<_>>().join(", "))]
pub struct MissingConfig(pub Vec<ConfigName>);

impl Config {
    pub fn get(&self, name: &ConfigName) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&ConfigName, &str)> {
        self.0.iter().map(|(name, value)| (name, value.as_str()))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fails with every required name that is missing, not with the first.
    pub fn require(&self, names: &[ConfigName]) -> Result<(), MissingConfig> {
        let missing: Vec<_> = names.iter().filter(|n| !self.0.contains_key(n)).cloned().collect();
        if missing.is_empty() { Ok(()) } else { Err(MissingConfig(missing)) }
    }

    /// The container's environment as `NAME=value`: the config, and `APP` and `RELEASE`.
    pub fn with_identity(&self, app: &str, release: &str) -> Vec<String> {
        let own = [format!("APP={app}"), format!("RELEASE={release}")];
        self.iter().map(|(name, value)| format!("{name}={value}")).chain(own).collect()
    }

    /// SHA-256 over `NAME NUL value NUL` in order of names: equal hashes mean equal config.
    pub fn hash(&self) -> ConfigHash {
        let mut hasher = Sha256::new();
        for (name, value) in self.iter() {
            hasher.update(name.as_str());
            hasher.update([0]);
            hasher.update(value);
            hasher.update([0]);
        }
        ConfigHash(hex::encode(hasher.finalize()))
    }
}

impl FromIterator<(ConfigName, String)> for Config {
    fn from_iter<I: IntoIterator<Item = (ConfigName, String)>>(iter: I) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys().map(ConfigName::as_str)).finish()
    }
}

/// The hash of a [`Config`], 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ConfigHash(String);

impl ConfigHash {
    /// The first 12 digits, for tables.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for ConfigHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn config(pairs: &[(&str, &str)]) -> Config {
        pairs.iter().map(|(n, v)| (n.parse().expect("valid"), (*v).to_owned())).collect()
    }

    #[test]
    fn names_that_are_not_environment_names_are_refused() {
        for bad in ["", "DB PASS", "A=B", "1A", "A-B", "A\0B", "ü", "APP", "RELEASE", "ADF_X"] {
            assert!(bad.parse::<ConfigName>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn debug_shows_no_value() {
        let shown = format!("{:?}", config(&[("DB_PASSWORD", "hunter2")]));
        assert_eq!(shown, "{\"DB_PASSWORD\"}");
    }

    #[test]
    fn every_missing_name_is_told() {
        let names: Vec<ConfigName> = ["A", "B", "C"].map(|n| n.parse().expect("valid")).into();
        let error = config(&[("B", "")]).require(&names).expect_err("A and C are missing");
        assert_eq!(error.to_string(), "config lacks A, C, required by the release's adf.toml");
    }

    proptest! {
        #[test]
        fn the_hash_tells_configs_apart(a in "[A-Z]{1,3}", b in "[A-Z]{1,3}", x: String, y: String) {
            prop_assume!(!["APP"].contains(&a.as_str()) && !["APP"].contains(&b.as_str()));
            let (one, two) = (config(&[(&a, &x)]), config(&[(&b, &y)]));
            prop_assert_eq!(one == two, one.hash() == two.hash());
        }
    }
}
