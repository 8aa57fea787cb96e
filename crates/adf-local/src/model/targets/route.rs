//! What the balancer asks: whom to check, whom to forward to.

use std::net::{Ipv4Addr, SocketAddr};

use super::{Target, TargetKey, TargetState};
use crate::model::{InstanceState, Model};

impl Model {
    /// The targets that are health-checked now, with their addresses: those of a used target group that do not drain.
    pub fn checked_targets(&self, arn: &str) -> Vec<(TargetKey, Ipv4Addr)> {
        let Some(group) =
            self.target_groups.get(arn).filter(|group| group.health.enabled && self.is_used(arn))
        else {
            return Vec::new();
        };
        let checked = group.targets.iter().filter(|(_, target)| target.state != TargetState::Draining);
        checked.filter_map(|(key, _)| Some((key.clone(), self.address(key)?))).collect()
    }

    /// Where a new request may go now: to the healthy targets; when there are only unhealthy ones, to all of those (fail open).
    pub fn routable(&self, arn: &str) -> Vec<SocketAddr> {
        let Some(group) = self.target_groups.get(arn) else { return Vec::new() };
        let usable = |wanted: &dyn Fn(&Target) -> bool| -> Vec<SocketAddr> {
            let chosen = group.targets.iter().filter(|(_, target)| wanted(target));
            chosen.filter_map(|(key, _)| Some(SocketAddr::from((self.address(key)?, key.port)))).collect()
        };
        if !group.health.enabled {
            return usable(&|target| target.state != TargetState::Draining);
        }
        let healthy = usable(&|target| target.state == TargetState::Healthy);
        if !healthy.is_empty() {
            return healthy;
        }
        let to_initial = self.settings.fail_open_to_initial;
        usable(&|target| {
            target.state == TargetState::Unhealthy || to_initial && target.state == TargetState::Initial
        })
    }

    /// A target's address while its machine may answer: a shutting-down one still does, until it is gone.
    fn address(&self, key: &TargetKey) -> Option<Ipv4Addr> {
        let instance = self.instances.get(&key.id)?;
        let gone = matches!(instance.state, InstanceState::Terminated | InstanceState::Stopped);
        (!gone).then_some(instance.private_ip)
    }
}
