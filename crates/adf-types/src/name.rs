//! Names that operators type and that become DynamoDB keys, tags and image names.
//!
//! The rule: a name never holds `@`, `#`, `/`, white space or a control character, because the store builds
//! keys such as `web@v42` from them and terminals print them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a string is not a name. The message carries the string, escaped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} \"{}\" {problem}", name.escape_debug())]
pub struct NameError {
    what: &'static str,
    name: String,
    problem: String,
}

fn check(what: &'static str, name: &str, max: usize) -> Result<(), NameError> {
    let problem = if name.is_empty() {
        "is empty".to_owned()
    } else if name.len() > max {
        format!("is {} characters long; at most {max} are allowed", name.len())
    } else if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        "must start with a letter or a digit".to_owned()
    } else if let Some(c) = name.chars().find(|c| !c.is_ascii_alphanumeric() && !"._-".contains(*c)) {
        format!("holds '{}'; letters, digits, '.', '_' and '-' are allowed", c.escape_debug())
    } else {
        return Ok(());
    };
    Err(NameError { what, name: name.to_owned(), problem })
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(s: &str) -> Result<Self, NameError> {
                check($what, s, $max)?;
                Ok(Self(s.to_owned()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;

            fn try_from(s: String) -> Result<Self, NameError> {
                s.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

name!(
    /// The name of an App: 1 to 64 letters, digits, `.`, `_`, `-`.
    AppName, "app", 64
);
name!(
    /// The name of a Release, usually a git tag or commit: 1 to 128 letters, digits, `.`, `_`, `-`.
    ReleaseName, "release", 128
);
name!(
    /// An EC2 instance id, `i-` and hexadecimal digits.
    InstanceId, "instance id", 32
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_would_break_a_key_is_refused() {
        for bad in ["", "a b", "web@v1", "a#b", "a/b", "-a", "a\nb", "ü"] {
            assert!(bad.parse::<AppName>().is_err(), "{bad:?} was accepted");
        }
    }

    #[test]
    fn the_message_names_the_character() {
        let error = "web@v1".parse::<AppName>().expect_err("@ is not allowed");
        assert_eq!(
            error.to_string(),
            "app \"web@v1\" holds '@'; letters, digits, '.', '_' and '-' are allowed"
        );
    }

    #[test]
    fn serde_goes_through_the_check() {
        assert!(serde_json::from_str::<ReleaseName>("\"v1 \"").is_err());
        assert_eq!(serde_json::from_str::<ReleaseName>("\"v1\"").expect("valid").as_str(), "v1");
    }
}
