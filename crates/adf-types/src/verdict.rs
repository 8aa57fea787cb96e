//! What a canary's judgement came to.

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
