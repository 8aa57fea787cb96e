//! What was checked and what was done to the deploys, counted.

use std::collections::BTreeMap;
use std::fmt;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Seeds, deploys, endings, calls.
    pub(crate) played: BTreeMap<String, u64>,
    pub(crate) faults: BTreeMap<String, u64>,
    pub(crate) invariants: BTreeMap<String, u64>,
}

impl Tally {
    pub(crate) fn played(&mut self, what: &str, times: u64) {
        *self.played.entry(what.to_owned()).or_default() += times;
    }

    pub(crate) fn fault(&mut self, what: &str) {
        *self.faults.entry(what.to_owned()).or_default() += 1;
    }

    pub(crate) fn checked(&mut self, what: &str) {
        *self.invariants.entry(what.to_owned()).or_default() += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.played, &other.played),
            (&mut self.faults, &other.faults),
            (&mut self.invariants, &other.invariants),
        ];
        for (all, more) in pairs {
            for (what, times) in more {
                *all.entry(what.clone()).or_default() += times;
            }
        }
    }
}

/// One count a line, `played deploys 12`: read by `cargo xtask sim`, which adds up several processes.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [("played", &self.played), ("fault", &self.faults), ("invariant", &self.invariants)];
        for (part, counts) in parts {
            for (what, times) in counts {
                writeln!(f, "tally {part} {times} {what}")?;
            }
        }
        Ok(())
    }
}
