//! A registered target and its health.

use jiff::Timestamp;

use super::check::ProbeFailure;

/// A registered instance and the port it is reached on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetKey {
    pub id: String,
    pub port: u16,
}

/// The states of aws.md §7.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetState {
    Initial,
    Healthy,
    Unhealthy,
    Draining,
    Unused,
    Unavailable,
}

impl TargetState {
    /// AWS's name, `draining`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Draining => "draining",
            Self::Unused => "unused",
            Self::Unavailable => "unavailable",
        }
    }
}

/// What `DescribeTargetHealth` says of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHealth {
    pub state: TargetState,
    /// `Target.FailedHealthChecks`; none when healthy.
    pub reason: Option<&'static str>,
    pub description: Option<String>,
}

/// A target. `state` is what health checks and deregistration made of it; whether the load balancer uses the target
/// at all also depends on listeners and on the instance: ask `Model::target_health`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub state: TargetState,
    pub failure: Option<ProbeFailure>,
    /// Passes in a row.
    pub passes: u32,
    /// Failures in a row.
    pub failures: u32,
    pub registered_at: Timestamp,
    /// When draining is over.
    pub draining_until: Option<Timestamp>,
}
