//! How a fleet is replaced, and how much larger than its capacity it may be meanwhile.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Strategy {
    /// New instances start beside the old ones; the old leave when the new serve.
    Surge,
    /// Auto Scaling's own instance refresh, for fleets that cannot grow.
    Refresh,
}

/// A share of the fleet's capacity, from 1 % to 100 %. Written `25%`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Surge(u32);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{}\" is not a share of the fleet; write 25%, from 1% to 100%", .0.escape_debug())]
pub struct SurgeError(String);

impl Surge {
    /// The whole fleet at once.
    pub const ALL: Self = Self(100);

    /// Only for shares that are known to be within bounds.
    pub(crate) const fn of_percent(percent: u32) -> Self {
        Self(percent)
    }

    pub fn percent(self) -> u32 {
        self.0
    }

    /// Of so many instances, rounded up: at least one.
    pub fn of(self, capacity: u32) -> u32 {
        let share = (u64::from(capacity) * u64::from(self.0)).div_ceil(100);
        u32::try_from(share).unwrap_or(u32::MAX).max(1)
    }
}

impl Default for Surge {
    fn default() -> Self {
        Self::ALL
    }
}

impl FromStr for Surge {
    type Err = SurgeError;

    fn from_str(text: &str) -> Result<Self, SurgeError> {
        let percent = text.strip_suffix('%').and_then(|number| number.trim().parse().ok());
        percent
            .filter(|percent| (1..=100).contains(percent))
            .map(Self)
            .ok_or_else(|| SurgeError(text.to_owned()))
    }
}

impl TryFrom<String> for Surge {
    type Error = SurgeError;

    fn try_from(text: String) -> Result<Self, SurgeError> {
        text.parse()
    }
}

impl From<Surge> for String {
    fn from(surge: Surge) -> Self {
        surge.to_string()
    }
}

impl fmt::Display for Surge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_up_and_never_nothing() {
        let quarter: Surge = "25%".parse().expect("valid");
        assert_eq!([1, 4, 10, 1000].map(|capacity| quarter.of(capacity)), [1, 1, 3, 250]);
        assert_eq!(Surge::ALL.of(7), 7);
        assert_eq!(quarter.to_string(), "25%");
    }

    #[test]
    fn what_is_no_share_is_refused() {
        for text in ["", "25", "0%", "101%", "-5%", "x%"] {
            assert!(text.parse::<Surge>().is_err(), "{text:?}");
        }
    }
}
