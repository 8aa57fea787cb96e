//! What a canary is judged on beside the hard facts: settings of `[deploy]`, kept in the deploy's record.

use serde::{Deserialize, Serialize};

use crate::Percent;

/// Records of before these settings read as the defaults, which are what was done then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Judging {
    /// The target group that only the canary is in. Without one the load balancer's counts have no say.
    pub canary_target_group: Option<String>,
    /// CloudWatch alarms that have a say, by name.
    pub alarms: Vec<String>,
    /// Requests that the canary must have answered at least; only with a canary target group.
    pub min_requests: u64,
    /// The largest regression that a pass may have missed, in points of the 5xx rate: with 2 % a canary that
    /// fails 3 % of its requests beside a fleet that fails 1 % is at the limit.
    pub max_missed: Percent,
    /// How much higher than the fleet's the canary's 5xx rate may be, as a share of the fleet's.
    pub tolerated_increase: Percent,
    /// The share of health probes that may fail. With none, one failed probe fails the canary.
    pub tolerated_probe_failures: Percent,
}

impl Default for Judging {
    fn default() -> Self {
        Self {
            canary_target_group: None,
            alarms: Vec::new(),
            // Without a single error so many show that the rate is below 2 %, with 95 % confidence.
            min_requests: 300,
            max_missed: Percent::whole(2),
            tolerated_increase: Percent::ZERO,
            tolerated_probe_failures: Percent::ZERO,
        }
    }
}
