//! Making and removing load balancers.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::LoadBalancer;
use super::group_verbs::check_name;
use crate::model::{ApiError, Model};

/// Parameters of `CreateLoadBalancer`.
#[derive(Clone, Debug, Default)]
pub struct NewLoadBalancer {
    pub name: String,
    pub subnet_ids: Vec<String>,
    pub security_group_ids: Vec<String>,
    /// `internet-facing` by default.
    pub scheme: Option<String>,
    /// `application` by default.
    pub kind: Option<String>,
    pub tags: BTreeMap<String, String>,
}

impl Model {
    /// The load balancer, or Elastic Load Balancing's refusal.
    pub fn existing_load_balancer(&self, arn: &str) -> Result<&LoadBalancer, ApiError> {
        self.load_balancers
            .get(arn)
            .ok_or_else(|| ApiError::new("LoadBalancerNotFound", "One or more load balancers not found"))
    }

    /// Makes a load balancer with an address of its own and returns its ARN.
    pub fn create_load_balancer(&mut self, new: NewLoadBalancer, now: Timestamp) -> Result<String, ApiError> {
        check_name(&new.name, "load balancer")?;
        if self.load_balancers.values().any(|balancer| balancer.name == new.name) {
            return Err(ApiError::new(
                "DuplicateLoadBalancerName",
                format!(
                    "A load balancer with the same name '{}' exists, but with different settings",
                    new.name
                ),
            ));
        }
        if let Some(id) = new.subnet_ids.iter().find(|id| self.network.subnet(id).is_none()) {
            return Err(ApiError::new("SubnetNotFound", format!("The subnet ID '{id}' does not exist")));
        }
        let kind = new.kind.unwrap_or_else(|| "application".to_owned());
        if new.subnet_ids.len() < 2 && kind == "application" {
            return Err(ApiError::new(
                "ValidationError",
                "At least two subnets in two different Availability Zones must be specified",
            ));
        }
        let address = self.network.take_for_balancer()?;
        let tail = self.ids.arn_tail();
        let arn = self.arn("elasticloadbalancing", &format!("loadbalancer/app/{}/{tail}", new.name));
        let default_group = vec![self.network.security_group_id.clone()];
        let balancer = LoadBalancer {
            arn: arn.clone(),
            name: new.name,
            dns_name: address.to_string(),
            address,
            scheme: new.scheme.unwrap_or_else(|| "internet-facing".to_owned()),
            kind,
            created_at: now,
            subnet_ids: new.subnet_ids,
            security_group_ids: if new.security_group_ids.is_empty() {
                default_group
            } else {
                new.security_group_ids
            },
            tags: new.tags,
        };
        self.load_balancers.insert(arn.clone(), balancer);
        Ok(arn)
    }

    /// Removes a load balancer with its listeners; an absent one is fine.
    pub fn delete_load_balancer(&mut self, arn: &str) {
        if let Some(balancer) = self.load_balancers.remove(arn) {
            self.network.release(balancer.address);
            self.listeners.retain(|listener| listener.load_balancer_arn != arn);
        }
    }
}
