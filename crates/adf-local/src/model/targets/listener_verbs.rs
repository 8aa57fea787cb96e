//! Making, changing and removing listeners. A listener is what makes a target group used.

use std::collections::BTreeMap;

use super::{Listener, TargetState, check_request};
use crate::model::{ApiError, Model};

/// Parameters of `CreateListener`.
#[derive(Clone, Debug, Default)]
pub struct NewListener {
    pub load_balancer_arn: String,
    pub port: u16,
    pub protocol: String,
    pub target_group_arn: String,
    pub tags: BTreeMap<String, String>,
}

impl Model {
    /// The listener, or Elastic Load Balancing's refusal.
    pub fn existing_listener(&self, arn: &str) -> Result<&Listener, ApiError> {
        self.listeners.get(arn).ok_or_else(no_such_listener)
    }

    /// Makes a listener and returns its ARN.
    pub fn create_listener(&mut self, new: NewListener) -> Result<String, ApiError> {
        let balancer = self.existing_load_balancer(&new.load_balancer_arn)?.arn.clone();
        self.existing_target_group(&new.target_group_arn)?;
        let protocol = check_request::protocol(&new.protocol)?;
        let taken = self.listeners.values().any(|it| it.load_balancer_arn == balancer && it.port == new.port);
        if taken {
            return Err(ApiError::new(
                "DuplicateListener",
                "A listener already exists on this port for this load balancer",
            ));
        }
        let arn = format!("{}/{}", balancer.replacen(":loadbalancer/", ":listener/", 1), self.ids.arn_tail());
        self.start_using(&new.target_group_arn);
        let listener = Listener {
            arn: arn.clone(),
            load_balancer_arn: balancer,
            port: new.port,
            protocol,
            target_group_arn: new.target_group_arn,
            tags: new.tags,
        };
        self.listeners.insert(arn.clone(), listener);
        Ok(arn)
    }

    /// Changes where a listener listens and forwards.
    pub fn modify_listener(
        &mut self,
        arn: &str,
        port: Option<u16>,
        target_group_arn: Option<String>,
    ) -> Result<(), ApiError> {
        if let Some(target_group) = &target_group_arn {
            self.existing_target_group(target_group)?;
            self.start_using(target_group);
        }
        let listener = self.listeners.get_mut(arn).ok_or_else(no_such_listener)?;
        listener.port = port.unwrap_or(listener.port);
        if let Some(target_group_arn) = target_group_arn {
            listener.target_group_arn = target_group_arn;
        }
        Ok(())
    }

    pub fn delete_listener(&mut self, arn: &str) -> Result<(), ApiError> {
        self.listeners.remove(arn).map(|_| ()).ok_or_else(no_such_listener)
    }

    /// What checks found while a target group was used before is forgotten: its targets are checked anew.
    fn start_using(&mut self, target_group_arn: &str) {
        if self.is_used(target_group_arn) {
            return;
        }
        let group = self.target_groups.get_mut(target_group_arn);
        for target in group.into_iter().flat_map(|group| group.targets.values_mut()) {
            if target.state != TargetState::Draining {
                target.state = TargetState::Initial;
                (target.passes, target.failures, target.failure) = (0, 0, None);
            }
        }
    }
}

fn no_such_listener() -> ApiError {
    ApiError::new("ListenerNotFound", "One or more listeners not found")
}
