//! What a release asks of its config: the part of its `adf.toml` that is kept in the release's record, so that a
//! change of config is held against the releases that are to live with it.
//!
//! The rule: no message repeats a value; it may be a secret.

use std::collections::BTreeMap;
use std::fmt;

use regex_lite::Regex;
use serde::{Deserialize, Serialize};

use super::{Config, ConfigName, MissingConfig, TakesOver};

/// What a release asks of its config. Unknown fields are read past: a record may be newer than its reader.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConfigRules {
    /// Names without which the app must not start.
    pub required: Vec<ConfigName>,
    /// Names that change which code a container's programs load, and that config may set all the same.
    pub allow_names: Vec<ConfigName>,
    /// What values may be, by name.
    pub values: BTreeMap<ConfigName, ValueRule>,
}

/// What the value of one name may be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ValueRule {
    /// A regular expression that matches the whole value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<Pattern>,
    /// All the values that there may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_of: Option<Vec<String>>,
}

/// A regular expression, in the syntax of Rust's `regex`. It matches in linear time, whatever it is.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    whole: Regex,
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let whole = Regex::new(&format!("^(?:{text})$"))
            .map_err(|e| format!("the pattern {text:?} is no regular expression: {e}"))?;
        Ok(Self { text, whole })
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// How a value breaks its rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    #[error("does not match the pattern {0}")]
    Pattern(Pattern),
    #[error("is none of {}", .0.iter().map(|v| format!("{v:?}")).collect::<Vec<_>>().join(", "))]
    OneOf(Vec<String>),
}

/// A config that is not what the release asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    #[error("E152 {0}")]
    Missing(#[from] MissingConfig),
    #[error(transparent)]
    TakesOver(#[from] TakesOver),
    #[error("E153 config {}, says the release's adf.toml", .0.iter().map(|(n, bad)| format!("{n} {bad}")).collect::<Vec<_>>().join("; "))]
    Values(Vec<(ConfigName, BadValue)>),
}

impl RuleError {
    pub fn names(&self) -> Vec<&ConfigName> {
        match self {
            Self::Missing(MissingConfig(names)) | Self::TakesOver(TakesOver(names)) => names.iter().collect(),
            Self::Values(broken) => broken.iter().map(|(name, _)| name).collect(),
        }
    }
}

impl ValueRule {
    pub fn check(&self, value: &str) -> Result<(), BadValue> {
        match (&self.pattern, &self.one_of) {
            (Some(pattern), _) if !pattern.whole.is_match(value) => Err(BadValue::Pattern(pattern.clone())),
            (_, Some(all)) if !all.iter().any(|one| one == value) => Err(BadValue::OneOf(all.clone())),
            _ => Ok(()),
        }
    }
}

impl ConfigRules {
    /// How the value breaks the rule of its name, if there is one and it does.
    pub fn check_value(&self, name: &ConfigName, value: &str) -> Result<(), BadValue> {
        self.values.get(name).map_or(Ok(()), |rule| rule.check(value))
    }
}

impl Config {
    /// Fails with every name that is missing, or that takes over, or whose value breaks its rule.
    pub fn check(&self, rules: &ConfigRules) -> Result<(), RuleError> {
        self.require(&rules.required)?;
        self.refuse_take_over(&rules.allow_names)?;
        let broken = self.iter().filter_map(|(name, value)| {
            let bad = rules.check_value(name, value).err()?;
            Some((name.clone(), bad))
        });
        let broken: Vec<_> = broken.collect();
        if broken.is_empty() { Ok(()) } else { Err(RuleError::Values(broken)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(toml: &str) -> ConfigRules {
        toml::from_str(toml).expect("rules")
    }

    fn name(name: &str) -> ConfigName {
        name.parse().expect("a name")
    }

    fn config(pairs: &[(&str, &str)]) -> Config {
        pairs.iter().map(|(n, v)| (name(n), (*v).to_owned())).collect()
    }

    #[test]
    fn a_pattern_matches_the_whole_value() {
        let rules = rules("[values]\nPORT = { pattern = \"[0-9]+|none\" }\n");
        assert_eq!(rules.check_value(&name("PORT"), "8080"), Ok(()));
        for bad in ["80a", "a80", "none1", "", "80\n"] {
            assert!(rules.check_value(&name("PORT"), bad).is_err(), "{bad:?}");
        }
        assert_eq!(rules.check_value(&name("OTHER"), "80a"), Ok(()));
    }

    #[test]
    fn one_of_names_all_values_and_no_message_repeats_the_bad_one() {
        let rules = rules("[values]\nLEVEL = { one_of = [\"debug\", \"info\"] }\n");
        let error = config(&[("LEVEL", "hunter2")]).check(&rules).expect_err("neither").to_string();
        assert_eq!(error, "E153 config LEVEL is none of \"debug\", \"info\", says the release's adf.toml");
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        let rules = rules("required = [\"A\", \"B\", \"C\"]\n");
        let error = config(&[("B", "")]).check(&rules).expect_err("two are missing").to_string();
        assert!(error.contains("config lacks A, C"), "{error}");
    }

    #[test]
    fn a_pattern_that_is_none_is_refused_where_it_is_read() {
        let error = toml::from_str::<ConfigRules>("[values]\nA = { pattern = \"(\" }\n").expect_err("open");
        assert!(error.to_string().contains("no regular expression"), "{error}");
    }

    #[test]
    fn a_record_of_a_newer_version_is_read() {
        assert_eq!(rules("required = [\"A\"]\nnewer = 1\n").required, vec![name("A")]);
    }
}
