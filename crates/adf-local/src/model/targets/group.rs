//! A target group.

use std::collections::BTreeMap;
use std::time::Duration;

use super::check::{HealthCheckSettings, Protocol};
use super::target::{Target, TargetKey};

/// A target group of instances.
#[derive(Clone, Debug)]
pub struct TargetGroup {
    pub arn: String,
    pub name: String,
    pub protocol: Protocol,
    pub port: u16,
    pub vpc_id: String,
    pub health: HealthCheckSettings,
    /// `deregistration_delay.timeout_seconds`, default 300 s.
    pub deregistration_delay: Duration,
    /// Every other attribute, as it was set.
    pub attributes: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub targets: BTreeMap<TargetKey, Target>,
}

/// Attributes AWS reports although nobody set them.
const DEFAULT_ATTRIBUTES: [(&str, &str); 5] = [
    ("stickiness.enabled", "false"),
    ("stickiness.type", "lb_cookie"),
    ("stickiness.lb_cookie.duration_seconds", "86400"),
    ("slow_start.duration_seconds", "0"),
    ("load_balancing.algorithm.type", "round_robin"),
];

impl TargetGroup {
    /// Every attribute with its value.
    pub fn attributes(&self) -> BTreeMap<String, String> {
        let defaults = DEFAULT_ATTRIBUTES.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut all = BTreeMap::from(defaults);
        all.extend(self.attributes.clone());
        let delay = self.deregistration_delay.as_secs().to_string();
        all.insert(super::group_verbs::DELAY_ATTRIBUTE.to_owned(), delay);
        all
    }
}
