//! The stages of an instance's boot, in order.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One step of an instance's boot. The order of the variants is the order of the boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Who am I: instance id, region, user data, tags, from IMDSv2.
    Identify,
    /// What am I to run, and what of it is already done: release record, containers, images.
    Claim,
    /// Config and image, at the same time.
    Prepare,
    /// Create and start the container, or adopt the one that already runs.
    Start,
    /// K consecutive health passes within the grace period.
    Health,
    /// Receipt, lifecycle action CONTINUE, systemd READY.
    Ready,
    /// Restarts, termination notices, drain.
    Supervise,
}

impl Stage {
    pub const ALL: [Self; 7] =
        [Self::Identify, Self::Claim, Self::Prepare, Self::Start, Self::Health, Self::Ready, Self::Supervise];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Claim => "claim",
            Self::Prepare => "prepare",
            Self::Start => "start",
            Self::Health => "health",
            Self::Ready => "ready",
            Self::Supervise => "supervise",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
