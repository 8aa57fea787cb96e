//! The target group: settings that let a fresh instance take traffic within seconds.

use adf_types::Health;
use aws_sdk_elasticloadbalancingv2::types::{Matcher, ProtocolEnum, TargetGroupAttribute, TargetTypeEnum};

use super::super::error::{failed, incomplete};
use super::super::{Aws, AwsError};
use super::Found;

/// AWS's defaults (30 s, 5 passes, 300 s of draining) would cost a deploy of five minutes all its time.
const INTERVAL_SECONDS: i32 = 5;
const TIMEOUT_SECONDS: i32 = 2;
const PASSES: i32 = 2;

/// A target group for an HTTP app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTargetGroup<'a> {
    pub name: &'a str,
    pub port: u16,
    pub vpc: &'a str,
    pub health: &'a Health,
    /// The deregistration delay.
    pub drain_seconds: u16,
}

impl Aws {
    /// The target group's ARN, and whether it was made now.
    pub async fn ensure_target_group(&self, new: &NewTargetGroup<'_>) -> Result<(String, Found), AwsError> {
        if let Some(group) = self.target_group(new.name).await? {
            return Ok((group.arn, Found::Found));
        }
        let (path, codes) = check(new.health);
        let create = self
            .elb
            .create_target_group()
            .name(new.name)
            .protocol(ProtocolEnum::Http)
            .port(i32::from(new.port))
            .vpc_id(new.vpc)
            .target_type(TargetTypeEnum::Instance)
            .health_check_protocol(ProtocolEnum::Http)
            .health_check_path(path)
            .matcher(Matcher::builder().http_code(codes).build())
            .health_check_interval_seconds(INTERVAL_SECONDS)
            .health_check_timeout_seconds(TIMEOUT_SECONDS)
            .healthy_threshold_count(PASSES)
            .unhealthy_threshold_count(PASSES);
        let answer = create.send().await.map_err(failed("CreateTargetGroup", new.name))?;
        let arn = answer.target_groups.unwrap_or_default().into_iter().find_map(|g| g.target_group_arn);
        let arn = arn.ok_or_else(|| incomplete("CreateTargetGroup", new.name, "the ARN"))?;
        self.set_drain(&arn, new.drain_seconds).await?;
        Ok((arn, Found::Created))
    }

    async fn set_drain(&self, arn: &str, seconds: u16) -> Result<(), AwsError> {
        let drain = TargetGroupAttribute::builder()
            .key("deregistration_delay.timeout_seconds")
            .value(seconds.to_string())
            .build();
        let modify = self.elb.modify_target_group_attributes().target_group_arn(arn).attributes(drain);
        modify.send().await.map_err(failed("ModifyTargetGroupAttributes", arn))?;
        Ok(())
    }
}

/// The path to ask for and the answers that are well. An application load balancer cannot check by connection
/// alone, let alone ask Docker, so for these any answer that is not the server's own failure will do.
fn check(health: &Health) -> (String, String) {
    match health {
        Health::Http { path, status } => (path.clone(), status.to_string()),
        Health::Tcp | Health::Docker | Health::Running => ("/".to_owned(), "200-499".to_owned()),
    }
}
