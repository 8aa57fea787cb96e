//! What a canary's judgement came to.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Pass, fail or inconclusive, each with its evidence in one sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "lowercase")]
pub enum Verdict {
    Pass {
        evidence: String,
    },
    Fail {
        reason: String,
    },
    /// Too little was seen to say either; never taken for a pass.
    Inconclusive {
        reason: String,
    },
}

/// `pass: ` and the evidence.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass { evidence } => write!(f, "pass: {evidence}"),
            Self::Fail { reason } => write!(f, "fail: {reason}"),
            Self::Inconclusive { reason } => write!(f, "inconclusive: {reason}"),
        }
    }
}
