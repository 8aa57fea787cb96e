//! Names of config: which are an app's, which the agent reads for itself, which are nobody's to set.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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

/// Names the agent sets in every container, see [`super::Config::environment`].
const RESERVED: [&str; 2] = ["APP", "RELEASE"];

/// Every other name with this prefix is the agent's, today or one day.
const AGENT_PREFIX: &str = "ADF_";

/// Names that make the programs of a container load other code or find other programs, before the app has
/// run a line. Options of one language (`NODE_OPTIONS`, `JAVA_TOOL_OPTIONS`) are left out: they are the
/// ordinary config of many apps.
const TAKES_OVER: [&str; 7] = ["PATH", "IFS", "BASH_ENV", "SHELLOPTS", "PS4", "GCONV_PATH", "GLIBC_TUNABLES"];

/// The dynamic linker's own: `LD_PRELOAD`, `LD_LIBRARY_PATH`, `LD_AUDIT` and what it may learn next.
const LINKER_PREFIX: &str = "LD_";

impl ConfigName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What this name tells the agent; nothing for an app's own names.
    pub fn for_agent(&self) -> Option<AgentName> {
        AgentName::ALL.into_iter().find(|name| name.as_str() == self.0)
    }

    /// Whether a container's programs would load or find other code by it (attack A13). Such a name is
    /// refused unless the release's adf.toml allows it.
    pub fn takes_over(&self) -> bool {
        TAKES_OVER.contains(&self.as_str()) || self.0.starts_with(LINKER_PREFIX)
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
        let name = Self(s.to_owned());
        if RESERVED.contains(&s) || (s.starts_with(AGENT_PREFIX) && name.for_agent().is_none()) {
            return Err(ConfigNameError::Reserved(s.to_owned()));
        }
        Ok(name)
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

/// Config that the agent reads for itself. It is set like any other name, but never becomes part of a
/// container's environment nor of the config's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgentName {
    /// The token for private GitHub archives.
    GithubToken,
    /// What to log in to image registries with.
    RegistryAuth,
}

impl AgentName {
    pub const ALL: [Self; 2] = [Self::GithubToken, Self::RegistryAuth];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::GithubToken => "ADF_GITHUB_TOKEN",
            Self::RegistryAuth => "ADF_REGISTRY_AUTH",
        }
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_that_are_not_environment_names_are_refused() {
        for bad in ["", "DB PASS", "A=B", "1A", "A-B", "A\0B", "A\nB", "ü", "APP", "RELEASE", "ADF_X", "ADF_"]
        {
            assert!(bad.parse::<ConfigName>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn of_the_agents_names_only_those_it_reads_can_be_set() {
        for name in AgentName::ALL {
            let parsed: ConfigName = name.as_str().parse().expect("settable");
            assert_eq!(parsed.for_agent(), Some(name));
        }
        assert_eq!("FOO".parse::<ConfigName>().expect("a name").for_agent(), None);
        assert!("ADF_GITHUB_TOKENS".parse::<ConfigName>().is_err());
    }

    #[test]
    fn attack_a13_names_that_take_a_container_over_are_told_apart() {
        let name = |s: &str| s.parse::<ConfigName>().expect("a name");
        for bad in ["LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "PATH", "BASH_ENV", "GLIBC_TUNABLES"] {
            assert!(name(bad).takes_over(), "{bad}");
        }
        for good in ["OLD_PATH", "PATHS", "NODE_OPTIONS", "LDAP_URL", "path"] {
            assert!(!name(good).takes_over(), "{good}");
        }
    }

    proptest! {
        /// Whatever is accepted can be written as one `NAME=value` of an environment, and says so again.
        #[test]
        fn attack_a13_an_accepted_name_holds_nothing_that_ends_it(raw in any::<String>()) {
            if let Ok(name) = raw.parse::<ConfigName>() {
                prop_assert!(!name.as_str().contains(['=', '\0', '\n', ' ', '"', '$']));
                prop_assert_eq!(name.as_str(), raw);
            }
        }
    }
}
