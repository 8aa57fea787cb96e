//! Health checks: how a target group checks, and what one check found.

use std::time::Duration;

/// Why a health check failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeFailure {
    /// The answer's status is outside the matcher.
    ResponseCode(u16),
    /// No answer within the timeout.
    Timeout,
    /// Refused, reset, or no HTTP at all.
    Failed(String),
}

/// One health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    Passed,
    Failed { reason: ProbeFailure },
}

/// What health checks and forwarding speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Http,
    Https,
    Tcp,
}

impl Protocol {
    /// AWS's name, `HTTP`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "HTTP",
            Self::Https => "HTTPS",
            Self::Tcp => "TCP",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Http, Self::Https, Self::Tcp].into_iter().find(|protocol| protocol.name() == name)
    }
}

/// Which port is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthPort {
    /// The port the target is registered with.
    TrafficPort,
    Fixed(u16),
}

/// Health check settings of a target group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheckSettings {
    pub enabled: bool,
    pub protocol: Protocol,
    pub port: HealthPort,
    pub path: String,
    pub matcher: Matcher,
    pub interval: Duration,
    pub timeout: Duration,
    pub healthy_threshold: u32,
    pub unhealthy_threshold: u32,
}

/// Statuses that pass a health check: `200`, `200,202`, `200-299`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    text: String,
    ranges: Vec<(u16, u16)>,
}

impl Matcher {
    /// `None` when `text` is not a list of statuses and ranges between 200 and 499.
    pub fn parse(text: &str) -> Option<Self> {
        let status = |part: &str| part.trim().parse().ok().filter(|code| (200..500).contains(code));
        let range = |part: &str| match part.split_once('-') {
            Some((low, high)) => Some((status(low)?, status(high)?)),
            None => status(part).map(|code: u16| (code, code)),
        };
        let ranges = text.split(',').map(range).collect::<Option<Vec<_>>>()?;
        Some(Self { text: text.to_owned(), ranges })
    }

    pub fn matches(&self, status: u16) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&status))
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }
}
