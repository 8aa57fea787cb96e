//! An app's environment variables.
//!
//! Base config applies to every release, Overlay config to one; what a release sees is Base, then its
//! Overlay. The store reads the layers; [`Config`] is the result. Neighbours: `name.rs` says which names
//! there are, `value.rs` keeps values out of sight, `rules.rs` says what a release asks of them.
//!
//! The rule: what the agent reads for itself ([`AgentName`]) is in none of the ways a container or a receipt
//! sees a config: not in the environment, not in the hash, not in the count.

mod name;
mod rules;
mod value;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use name::{AgentName, ConfigName, ConfigNameError};
pub use rules::{BadValue, ConfigRules, Pattern, RuleError, ValueRule};
pub use value::ConfigValue;

/// The complete config that one release sees. `Debug` shows names only: values may be secrets.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Config {
    names: BTreeMap<ConfigName, ConfigValue>,
    agent: BTreeMap<AgentName, ConfigValue>,
}

/// Names that the release requires and the config does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("config lacks {}, required by the release's adf.toml", joined(.0))]
pub struct MissingConfig(pub Vec<ConfigName>);

/// Names that take a container over, and that the release does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "E153 config name {names} changes which code a container's programs load; unset it, or let the release's \
     adf.toml allow it: [config] allow_names = [{quoted}]",
    names = joined(.0),
    quoted = .0.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ")
)]
pub struct TakesOver(pub Vec<ConfigName>);

/// Values that Linux cannot hand to a program in its environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    #[error(
        "E153 config {0} is {1} bytes long; one environment variable can hold {max}. Store it elsewhere, or as a \
         secret with [config] secrets = \"files\" in adf.toml",
        max = Config::MOST_IN_ONE
    )]
    One(ConfigName, usize),
    #[error("E153 the config is {0} bytes long in all; an environment can hold {max}", max = Config::MOST_IN_ALL)]
    All(usize),
}

/// How a container is given the values that were stored as secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretDelivery {
    /// Beside all other config, in the environment.
    #[default]
    Environment,
    /// One file each, below `/run/adf/secrets`, and not in the environment.
    Files,
}

impl Config {
    pub fn get(&self, name: &ConfigName) -> Option<&str> {
        self.names.get(name).map(ConfigValue::expose)
    }

    /// What the agent itself was told.
    pub fn for_agent(&self, name: AgentName) -> Option<&str> {
        self.agent.get(&name).map(ConfigValue::expose)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&ConfigName, &str)> {
        self.names.iter().map(|(name, value)| (name, value.expose()))
    }

    /// The container's config that was stored as secrets.
    pub fn secrets(&self) -> impl Iterator<Item = (&ConfigName, &str)> {
        self.names.iter().filter(|(_, v)| v.is_secret()).map(|(name, value)| (name, value.expose()))
    }

    /// Every value there is, also the agent's own: for whoever keeps them out of logs.
    pub fn values(&self) -> impl Iterator<Item = &ConfigValue> {
        self.names.values().chain(self.agent.values())
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Fails with every required name that is missing, not with the first.
    pub fn require(&self, names: &[ConfigName]) -> Result<(), MissingConfig> {
        let has = |name: &ConfigName| {
            self.names.contains_key(name) || name.for_agent().is_some_and(|n| self.agent.contains_key(&n))
        };
        let missing: Vec<_> = names.iter().filter(|n| !has(n)).cloned().collect();
        if missing.is_empty() { Ok(()) } else { Err(MissingConfig(missing)) }
    }

    /// Fails with every name that takes a container over and is not among `allowed`.
    pub fn refuse_take_over(&self, allowed: &[ConfigName]) -> Result<(), TakesOver> {
        let bad = self.names.keys().filter(|name| name.takes_over() && !allowed.contains(name));
        let bad: Vec<_> = bad.cloned().collect();
        if bad.is_empty() { Ok(()) } else { Err(TakesOver(bad)) }
    }

    /// Linux's `MAX_ARG_STRLEN`, 32 pages, less the closing NUL.
    pub const MOST_IN_ONE: usize = (128 << 10) - 1;

    /// A quarter of the usual 8 MiB stack is for arguments and environment together; an eighth of that is left
    /// to the arguments and to what the image itself sets. Source: `execve(2)`.
    pub const MOST_IN_ALL: usize = (2 << 20) - (256 << 10);

    /// Fails when the environment would be too large: the container would not start, and not say why.
    pub fn fits(&self, secrets: SecretDelivery) -> Result<(), TooLarge> {
        let mut all = 0;
        let given = self.names.iter().filter(|(_, value)| is_variable(value, secrets));
        for (name, value) in given {
            let length = name.as_str().len() + 1 + value.expose().len();
            if length > Self::MOST_IN_ONE {
                return Err(TooLarge::One(name.clone(), length));
            }
            all += length + 1;
        }
        if all > Self::MOST_IN_ALL { Err(TooLarge::All(all)) } else { Ok(()) }
    }

    /// The container's environment as `NAME=value`: the config, and `APP` and `RELEASE`.
    pub fn environment(&self, app: &str, release: &str, secrets: SecretDelivery) -> Vec<String> {
        let own = [format!("APP={app}"), format!("RELEASE={release}")];
        let given = self.names.iter().filter(|(_, value)| is_variable(value, secrets));
        given.map(|(name, value)| format!("{name}={}", value.expose())).chain(own).collect()
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

impl<V: Into<ConfigValue>> FromIterator<(ConfigName, V)> for Config {
    fn from_iter<I: IntoIterator<Item = (ConfigName, V)>>(iter: I) -> Self {
        let mut config = Self::default();
        for (name, value) in iter {
            match name.for_agent() {
                Some(own) => config.agent.insert(own, value.into()),
                None => config.names.insert(name, value.into()),
            };
        }
        config
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names.keys().map(ConfigName::as_str)).finish()
    }
}

fn is_variable(value: &ConfigValue, secrets: SecretDelivery) -> bool {
    match secrets {
        SecretDelivery::Environment => true,
        SecretDelivery::Files => !value.is_secret(),
    }
}

fn joined(names: &[ConfigName]) -> String {
    names.iter().map(ConfigName::as_str).collect::<Vec<_>>().join(", ")
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

    fn name(name: &str) -> ConfigName {
        name.parse().expect("valid")
    }

    fn config(pairs: &[(&str, &str)]) -> Config {
        pairs.iter().map(|(n, v)| (name(n), (*v).to_owned())).collect()
    }

    #[test]
    fn debug_shows_no_value() {
        let shown = format!("{:?}", config(&[("DB_PASSWORD", "hunter2")]));
        assert_eq!(shown, "{\"DB_PASSWORD\"}");
        assert!(!format!("{:?}", ConfigValue::secret("hunter2")).contains("hunter2"));
    }

    #[test]
    fn every_missing_name_is_told() {
        let names = ["A", "B", "C"].map(name);
        let error = config(&[("B", "")]).require(&names).expect_err("A and C are missing");
        assert_eq!(error.to_string(), "config lacks A, C, required by the release's adf.toml");
    }

    #[test]
    fn what_the_agent_reads_for_itself_is_no_part_of_what_a_container_gets() {
        let with = config(&[("A", "1"), ("ADF_GITHUB_TOKEN", "hunter2")]);
        let without = config(&[("A", "1")]);
        assert_eq!(with.for_agent(AgentName::GithubToken), Some("hunter2"));
        assert_eq!(with.for_agent(AgentName::RegistryAuth), None);
        assert_eq!((with.hash(), with.len()), (without.hash(), 1));
        assert_eq!(with.get(&name("ADF_GITHUB_TOKEN")), None);
        assert_eq!(
            with.environment("web", "v1", SecretDelivery::Environment),
            ["A=1", "APP=web", "RELEASE=v1"]
        );
        assert!(with.require(&[name("ADF_GITHUB_TOKEN")]).is_ok(), "a release may insist that it is set");
        assert_eq!(format!("{with:?}"), "{\"A\"}");
    }

    #[test]
    fn secrets_that_are_given_as_files_are_not_in_the_environment() {
        let pairs = [(name("A"), ConfigValue::plain("1")), (name("B"), ConfigValue::secret("hunter2"))];
        let config: Config = pairs.into_iter().collect();
        assert_eq!(config.environment("web", "v1", SecretDelivery::Files), ["A=1", "APP=web", "RELEASE=v1"]);
        assert_eq!(config.environment("web", "v1", SecretDelivery::Environment)[1], "B=hunter2");
        assert_eq!(config.secrets().collect::<Vec<_>>(), [(&name("B"), "hunter2")]);
    }

    #[test]
    fn fault_32_a_value_that_is_too_large_is_named_and_may_be_a_file() {
        let large = ConfigValue::secret("x".repeat(Config::MOST_IN_ONE));
        let config: Config = [(name("BLOB"), large)].into_iter().collect();
        let error = config.fits(SecretDelivery::Environment).expect_err("too large").to_string();
        assert!(
            error.starts_with("E153 config BLOB is 131076 bytes long; one environment variable"),
            "{error}"
        );
        assert_eq!(config.fits(SecretDelivery::Files), Ok(()));
        let many = (0..20).map(|n| (name(&format!("N{n}")), "x".repeat(100_000)));
        let error = many.collect::<Config>().fits(SecretDelivery::Environment).expect_err("too large");
        assert!(matches!(error, TooLarge::All(2_000_000..)), "{error}");
    }

    #[test]
    fn attack_a13_a_name_that_takes_over_is_refused_unless_the_release_allows_it() {
        let config = config(&[("LD_PRELOAD", "/tmp/x.so"), ("PATH", "/evil"), ("FOO", "1")]);
        let error = config.refuse_take_over(&[name("PATH")]).expect_err("LD_PRELOAD").to_string();
        assert!(error.starts_with("E153 config name LD_PRELOAD changes which code"), "{error}");
        assert!(error.ends_with("allow_names = [\"LD_PRELOAD\"]"), "{error}");
        assert!(!error.contains("/tmp/x.so"), "{error}");
        assert!(config.refuse_take_over(&[name("PATH"), name("LD_PRELOAD")]).is_ok());
    }

    proptest! {
        #[test]
        fn the_hash_tells_configs_apart(a in "[A-Z]{1,3}", b in "[A-Z]{1,3}", x: String, y: String) {
            prop_assume!(!["APP"].contains(&a.as_str()) && !["APP"].contains(&b.as_str()));
            let (one, two) = (config(&[(&a, &x)]), config(&[(&b, &y)]));
            prop_assert_eq!(one == two, one.hash() == two.hash());
        }

        /// One value is one variable, whatever is in it: a new line begins no second one.
        #[test]
        fn attack_a13_a_value_makes_exactly_one_variable(value in any::<String>()) {
            let env = config(&[("A", &value)]).environment("web", "v1", SecretDelivery::Environment);
            prop_assert_eq!(env, [format!("A={value}"), "APP=web".to_owned(), "RELEASE=v1".to_owned()]);
        }
    }
}
