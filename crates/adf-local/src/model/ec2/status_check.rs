//! EC2's status checks of an instance that runs: reachable or impaired.

use jiff::Timestamp;

use crate::model::agenda::Event;
use crate::model::{ApiError, Model};

impl Model {
    /// The instance's reachability check fails, or passes again. A group waits a while before it replaces an impaired member.
    pub fn set_status_check(&mut self, id: &str, passes: bool, now: Timestamp) -> Result<(), ApiError> {
        self.existing_instance(id)?;
        let wait = self.settings.impaired_wait;
        if let Some(instance) = self.instances.get_mut(id) {
            instance.impaired_since = match instance.impaired_since {
                Some(since) if !passes => Some(since),
                _ => (!passes).then_some(now),
            };
            self.agenda.at(now + wait, Event::CheckHealth { instance: id.to_owned() });
        }
        Ok(())
    }
}
