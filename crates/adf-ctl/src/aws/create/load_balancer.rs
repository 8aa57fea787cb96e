//! The application load balancer and its one listener.

use aws_sdk_elasticloadbalancingv2::types::{Action, ActionTypeEnum, LoadBalancer, ProtocolEnum};

use super::super::error::{failed, incomplete};
use super::super::{Aws, AwsError};
use super::Found;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLoadBalancer<'a> {
    pub name: &'a str,
    pub subnets: &'a [String],
    /// Empty: the VPC's default.
    pub security_groups: &'a [String],
}

impl Aws {
    /// The load balancer's ARN and DNS name, and whether it was made now.
    pub async fn ensure_load_balancer(
        &self,
        new: &NewLoadBalancer<'_>,
    ) -> Result<(String, String, Found), AwsError> {
        let described = self.elb.describe_load_balancers().names(new.name).send().await;
        let there = match described.map_err(failed("DescribeLoadBalancers", new.name)) {
            Ok(answer) => answer.load_balancers.unwrap_or_default().into_iter().next(),
            Err(AwsError::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        if let Some(balancer) = there {
            let (arn, dns) = address("DescribeLoadBalancers", new.name, balancer)?;
            return Ok((arn, dns, Found::Found));
        }
        let security_groups = (!new.security_groups.is_empty()).then(|| new.security_groups.to_vec());
        let create = self.elb.create_load_balancer().name(new.name).set_subnets(Some(new.subnets.to_vec()));
        let answer = create
            .set_security_groups(security_groups)
            .send()
            .await
            .map_err(failed("CreateLoadBalancer", new.name))?;
        let made = answer.load_balancers.unwrap_or_default().into_iter().next();
        let made = made.ok_or_else(|| incomplete("CreateLoadBalancer", new.name, "the load balancer"))?;
        let (arn, dns) = address("CreateLoadBalancer", new.name, made)?;
        Ok((arn, dns, Found::Created))
    }

    /// A listener of the load balancer on `port` that forwards to the target group.
    pub async fn ensure_listener(
        &self,
        load_balancer_arn: &str,
        port: u16,
        target_group_arn: &str,
    ) -> Result<Found, AwsError> {
        let answer = self.elb.describe_listeners().load_balancer_arn(load_balancer_arn).send().await;
        let there = answer.map_err(failed("DescribeListeners", load_balancer_arn))?.listeners;
        if there.unwrap_or_default().iter().any(|l| l.port == Some(i32::from(port))) {
            return Ok(Found::Found);
        }
        let forward =
            Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(target_group_arn).build();
        let create = self.elb.create_listener().load_balancer_arn(load_balancer_arn);
        create
            .protocol(ProtocolEnum::Http)
            .port(i32::from(port))
            .default_actions(forward)
            .send()
            .await
            .map_err(failed("CreateListener", format!("port {port} of {load_balancer_arn}")))?;
        Ok(Found::Created)
    }
}

fn address(
    operation: &'static str,
    name: &str,
    balancer: LoadBalancer,
) -> Result<(String, String), AwsError> {
    let arn = balancer.load_balancer_arn.ok_or_else(|| incomplete(operation, name, "the ARN"))?;
    let dns = balancer.dns_name.ok_or_else(|| incomplete(operation, name, "the DNS name"))?;
    Ok((arn, dns))
}
