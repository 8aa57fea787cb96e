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
