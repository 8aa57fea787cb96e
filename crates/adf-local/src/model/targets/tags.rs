//! Tags of load balancers, listeners and target groups, by ARN.

use std::collections::BTreeMap;

use crate::model::{ApiError, Model};

impl Model {
    /// The tags of one resource.
    pub fn balancing_tags(&self, arn: &str) -> Result<&BTreeMap<String, String>, ApiError> {
        let of_group = self.target_groups.get(arn).map(|group| &group.tags);
        let of_balancer = || self.load_balancers.get(arn).map(|balancer| &balancer.tags);
        let of_listener = || self.listeners.get(arn).map(|listener| &listener.tags);
        of_group.or_else(of_balancer).or_else(of_listener).ok_or_else(|| not_found(arn))
    }

    /// Sets tags on every resource, or on none when one is unknown.
    pub fn tag_balancing(
        &mut self,
        arns: &[String],
        tags: &BTreeMap<String, String>,
    ) -> Result<(), ApiError> {
        self.change_balancing_tags(arns, |held| held.extend(tags.clone()))
    }

    /// Removes tags by key from every resource, or from none when one is unknown.
    pub fn untag_balancing(&mut self, arns: &[String], keys: &[String]) -> Result<(), ApiError> {
        self.change_balancing_tags(arns, |held| held.retain(|key, _| !keys.contains(key)))
    }

    fn change_balancing_tags(
        &mut self,
        arns: &[String],
        change: impl Fn(&mut BTreeMap<String, String>),
    ) -> Result<(), ApiError> {
        for arn in arns {
            self.balancing_tags(arn)?;
        }
        for arn in arns {
            let of_group = self.target_groups.get_mut(arn).map(|group| &mut group.tags);
            let of_balancer = self.load_balancers.get_mut(arn).map(|balancer| &mut balancer.tags);
            let of_listener = self.listeners.get_mut(arn).map(|listener| &mut listener.tags);
            of_group.into_iter().chain(of_balancer).chain(of_listener).for_each(&change);
        }
        Ok(())
    }
}

fn not_found(arn: &str) -> ApiError {
    match arn.split(':').nth(5).and_then(|resource| resource.split('/').next()) {
        Some("loadbalancer") => ApiError::new("LoadBalancerNotFound", "One or more load balancers not found"),
        Some("listener") => ApiError::new("ListenerNotFound", "One or more listeners not found"),
        _ => ApiError::new("TargetGroupNotFound", "One or more target groups not found"),
    }
}
