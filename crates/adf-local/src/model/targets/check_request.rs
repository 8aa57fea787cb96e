//! Health check parameters of a request: AWS's defaults, and what may be asked for.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{HealthCheckSettings, HealthPort, Matcher, Protocol};
use crate::model::ApiError;

/// Health check parameters of a request; absent ones keep what is there.
#[derive(Clone, Debug, Default)]
pub struct HealthCheckRequest {
    pub enabled: Option<bool>,
    pub protocol: Option<String>,
    /// `traffic-port` or a number.
    pub port: Option<String>,
    pub path: Option<String>,
    pub matcher: Option<String>,
    /// Seconds, 5 to 300.
    pub interval: Option<i32>,
    /// Seconds, 2 to 120, below the interval.
    pub timeout: Option<i32>,
    /// 2 to 10.
    pub healthy_threshold: Option<i32>,
    /// 2 to 10.
    pub unhealthy_threshold: Option<i32>,
}

impl HealthCheckSettings {
    /// AWS's defaults for an application load balancer's target group.
    pub(super) fn default_for(protocol: Protocol) -> Self {
        Self {
            enabled: true,
            protocol,
            port: HealthPort::TrafficPort,
            path: "/".to_owned(),
            matcher: Matcher::parse("200").expect("200 is a status"),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            healthy_threshold: 5,
            unhealthy_threshold: 2,
        }
    }
}

impl HealthCheckRequest {
    pub(super) fn over(self, base: &HealthCheckSettings) -> Result<HealthCheckSettings, ApiError> {
        let settings = HealthCheckSettings {
            enabled: self.enabled.unwrap_or(base.enabled),
            protocol: self.protocol.map_or(Ok(base.protocol), |name| protocol(&name))?,
            port: self.port.map_or(Ok(base.port), |text| health_port(&text))?,
            path: self.path.unwrap_or_else(|| base.path.clone()),
            matcher: self.matcher.map_or(Ok(base.matcher.clone()), |text| matcher(&text))?,
            interval: seconds(self.interval, base.interval, 5..=300, "Health check interval")?,
            timeout: seconds(self.timeout, base.timeout, 2..=120, "Health check timeout")?,
            healthy_threshold: threshold(self.healthy_threshold, base.healthy_threshold, "Healthy")?,
            unhealthy_threshold: threshold(self.unhealthy_threshold, base.unhealthy_threshold, "Unhealthy")?,
        };
        if settings.timeout < settings.interval {
            return Ok(settings);
        }
        Err(ApiError::validation(format!(
            "Health check interval must be greater than the timeout, but is {} s with a timeout of {} s",
            settings.interval.as_secs(),
            settings.timeout.as_secs()
        )))
    }
}

fn seconds(
    asked: Option<i32>,
    held: Duration,
    allowed: RangeInclusive<i32>,
    what: &str,
) -> Result<Duration, ApiError> {
    let Some(value) = asked else { return Ok(held) };
    let valid = u64::try_from(value).ok().filter(|_| allowed.contains(&value));
    valid.map(Duration::from_secs).ok_or_else(|| out_of_range(what, value, &allowed))
}

fn threshold(asked: Option<i32>, held: u32, what: &str) -> Result<u32, ApiError> {
    let Some(value) = asked else { return Ok(held) };
    let allowed = 2..=10;
    let valid = u32::try_from(value).ok().filter(|_| allowed.contains(&value));
    valid.ok_or_else(|| out_of_range(&format!("{what} threshold count"), value, &allowed))
}

fn out_of_range(what: &str, value: i32, allowed: &RangeInclusive<i32>) -> ApiError {
    let text = format!("{what} '{value}' must be between {} and {}", allowed.start(), allowed.end());
    ApiError::validation(text)
}

fn health_port(text: &str) -> Result<HealthPort, ApiError> {
    match text {
        "traffic-port" => Ok(HealthPort::TrafficPort),
        number => number.parse().map(HealthPort::Fixed).map_err(|_| {
            ApiError::validation(format!("Health check port '{text}' must be 'traffic-port' or a port"))
        }),
    }
}

fn matcher(text: &str) -> Result<Matcher, ApiError> {
    Matcher::parse(text).ok_or_else(|| {
        ApiError::validation(format!("Health check matcher HTTP code '{text}' must be within 200-499"))
    })
}

pub(super) fn protocol(name: &str) -> Result<Protocol, ApiError> {
    Protocol::parse(name).ok_or_else(|| {
        ApiError::validation(format!("Protocol '{name}' is not supported here; use HTTP, HTTPS or TCP"))
    })
}
