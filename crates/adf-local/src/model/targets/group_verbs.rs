//! Making, changing and removing target groups.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{HealthCheckSettings, HealthPort, Matcher, Protocol, TargetGroup};
use crate::model::{ApiError, Model};

/// AWS's default deregistration delay.
const DEREGISTRATION_DELAY: Duration = Duration::from_secs(300);
/// The attribute that sets it.
pub(in crate::model) const DELAY_ATTRIBUTE: &str = "deregistration_delay.timeout_seconds";

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

/// Parameters of `CreateTargetGroup`.
#[derive(Clone, Debug, Default)]
pub struct NewTargetGroup {
    pub name: String,
    pub protocol: String,
    pub port: u16,
    pub vpc_id: Option<String>,
    pub health: HealthCheckRequest,
    pub tags: BTreeMap<String, String>,
}

impl Model {
    /// Makes a target group and returns its ARN.
    pub fn create_target_group(&mut self, new: NewTargetGroup) -> Result<String, ApiError> {
        check_name(&new.name, "target group")?;
        if self.target_groups.values().any(|group| group.name == new.name) {
            return Err(ApiError::new(
                "DuplicateTargetGroupName",
                format!(
                    "A target group with the same name '{}' exists, but with different settings",
                    new.name
                ),
            ));
        }
        let protocol = protocol(&new.protocol)?;
        let vpc_id = new.vpc_id.ok_or_else(|| ApiError::new("ValidationError", "A VPC ID is required"))?;
        if vpc_id != self.network.vpc_id {
            return Err(ApiError::new("ValidationError", format!("The VPC ID '{vpc_id}' is not found")));
        }
        let health = new.health.over(&HealthCheckSettings::default_for(protocol))?;
        let tail = self.ids.arn_tail();
        let arn = self.arn("elasticloadbalancing", &format!("targetgroup/{}/{tail}", new.name));
        let group = TargetGroup {
            arn: arn.clone(),
            name: new.name,
            protocol,
            port: new.port,
            vpc_id,
            health,
            deregistration_delay: DEREGISTRATION_DELAY,
            attributes: BTreeMap::new(),
            tags: new.tags,
            targets: BTreeMap::new(),
        };
        self.target_groups.insert(arn.clone(), group);
        Ok(arn)
    }

    /// Changes how a target group checks health.
    pub fn modify_target_group(&mut self, arn: &str, health: HealthCheckRequest) -> Result<(), ApiError> {
        let group = self.target_group_mut(arn)?;
        group.health = health.over(&group.health)?;
        Ok(())
    }

    /// Sets attributes, all or none.
    pub fn modify_target_group_attributes(
        &mut self,
        arn: &str,
        attributes: &[(String, String)],
    ) -> Result<(), ApiError> {
        let group = self.target_group_mut(arn)?;
        let mut delay = group.deregistration_delay;
        for (key, value) in attributes.iter().filter(|(key, _)| key == DELAY_ATTRIBUTE) {
            let seconds = value.parse().ok().filter(|seconds| *seconds <= 3600).ok_or_else(|| {
                ApiError::new(
                    "ValidationError",
                    format!("'{key}' must be between 0 and 3600, but is '{value}'"),
                )
            })?;
            delay = Duration::from_secs(seconds);
        }
        group.deregistration_delay = delay;
        let others = attributes.iter().filter(|(key, _)| key != DELAY_ATTRIBUTE);
        group.attributes.extend(others.cloned());
        Ok(())
    }

    /// Removes a target group that no listener uses.
    pub fn delete_target_group(&mut self, arn: &str) -> Result<(), ApiError> {
        if self.is_used(arn) {
            return Err(ApiError::new(
                "ResourceInUse",
                format!("Target group '{arn}' is currently in use by a listener or a rule"),
            ));
        }
        self.target_groups.remove(arn);
        Ok(())
    }
}

impl HealthCheckSettings {
    /// AWS's defaults for an application load balancer's target group.
    fn default_for(protocol: Protocol) -> Self {
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
    fn over(self, base: &HealthCheckSettings) -> Result<HealthCheckSettings, ApiError> {
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
        match settings.timeout < settings.interval {
            true => Ok(settings),
            false => Err(ApiError::new(
                "ValidationError",
                format!(
                    "Health check interval must be greater than the timeout, but is {} s with a timeout of {} s",
                    settings.interval.as_secs(),
                    settings.timeout.as_secs()
                ),
            )),
        }
    }
}

fn seconds(
    asked: Option<i32>,
    held: Duration,
    allowed: std::ops::RangeInclusive<i32>,
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

fn out_of_range(what: &str, value: i32, allowed: &std::ops::RangeInclusive<i32>) -> ApiError {
    let text = format!("{what} '{value}' must be between {} and {}", allowed.start(), allowed.end());
    ApiError::new("ValidationError", text)
}

fn health_port(text: &str) -> Result<HealthPort, ApiError> {
    match text {
        "traffic-port" => Ok(HealthPort::TrafficPort),
        number => number.parse().map(HealthPort::Fixed).map_err(|_| {
            ApiError::new(
                "ValidationError",
                format!("Health check port '{text}' must be 'traffic-port' or a port"),
            )
        }),
    }
}

fn matcher(text: &str) -> Result<Matcher, ApiError> {
    Matcher::parse(text).ok_or_else(|| {
        ApiError::new(
            "ValidationError",
            format!("Health check matcher HTTP code '{text}' must be within 200-499"),
        )
    })
}

pub(super) fn protocol(name: &str) -> Result<Protocol, ApiError> {
    Protocol::parse(name).ok_or_else(|| {
        ApiError::new(
            "ValidationError",
            format!("Protocol '{name}' is not supported here; use HTTP, HTTPS or TCP"),
        )
    })
}

/// 1 to 32 letters, digits and hyphens, none at either end.
pub(super) fn check_name(name: &str, what: &str) -> Result<(), ApiError> {
    let allowed = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if (1..=32).contains(&name.len()) && allowed && !name.starts_with('-') && !name.ends_with('-') {
        return Ok(());
    }
    Err(ApiError::new(
        "ValidationError",
        format!(
            "The {what} name '{name}' must be 1 to 32 letters, digits and hyphens, and not begin or end with a hyphen"
        ),
    ))
}
