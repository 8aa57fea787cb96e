//! EC2's Spot notices: the recommendation to replace an instance, and its interruption two minutes ahead.
//!
//! Neighbours: the metadata service shows both, the agenda ends the instance. On EC2 these come with the market or from
//! the Fault Injection Service (`aws:ec2:send-spot-instance-interruptions`), which sends them to any Spot instance;
//! here any instance may get them.

use std::time::Duration;

use jiff::Timestamp;

use super::InstanceState;
use crate::model::agenda::Event;
use crate::model::{ApiError, Model};

/// Between the notice and the end.
const NOTICE: Duration = Duration::from_mins(2);

/// What EC2 has announced to an instance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpotNotices {
    /// When replacing it was recommended.
    pub rebalance: Option<Timestamp>,
    /// When it is going to be terminated.
    pub termination: Option<Timestamp>,
}

impl Model {
    /// A hint without consequence: nothing happens to the instance.
    pub fn recommend_rebalance(&mut self, id: &str, now: Timestamp) -> Result<(), ApiError> {
        self.existing_instance(id)?;
        if let Some(instance) = self.instances.get_mut(id) {
            instance.spot.rebalance.get_or_insert(now);
        }
        Ok(())
    }

    /// Announces the instance's end in two minutes, after a rebalance recommendation as on EC2.
    pub fn interrupt_spot(&mut self, id: &str, now: Timestamp) -> Result<(), ApiError> {
        self.recommend_rebalance(id, now)?;
        let end = now + NOTICE;
        if let Some(instance) = self.instances.get_mut(id).filter(|it| it.spot.termination.is_none()) {
            instance.spot.termination = Some(end);
            self.agenda.at(end, Event::Interrupt { instance: id.to_owned() });
        }
        Ok(())
    }

    pub(in crate::model) fn interrupt(&mut self, id: &str, now: Timestamp) {
        if self.instances.get(id).is_some_and(|instance| instance.state == InstanceState::Running) {
            self.shut_down(id, "Server.SpotInstanceTermination", "Spot instance termination", now);
        }
    }
}
