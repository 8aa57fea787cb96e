//! Deregistration: no new requests at once, gone after the whole delay even if idle (aws.md §7).

use jiff::Timestamp;

use super::{TargetKey, TargetState};
use crate::model::agenda::Event;
use crate::model::{ApiError, Model};

impl Model {
    /// Deregisters targets, on one port or on all; an absent one is fine.
    pub fn deregister_targets(
        &mut self,
        arn: &str,
        targets: &[(String, Option<u16>)],
        now: Timestamp,
    ) -> Result<(), ApiError> {
        self.existing_target_group(arn)?;
        for (id, port) in targets {
            self.drain(arn, id, *port, now);
        }
        Ok(())
    }

    /// A target that no listener uses has nothing to drain and goes at once.
    pub(in crate::model) fn drain(&mut self, arn: &str, id: &str, port: Option<u16>, now: Timestamp) {
        let in_use = self.is_used(arn);
        let Some(group) = self.target_groups.get_mut(arn) else { return };
        let until = if in_use { now + group.deregistration_delay } else { now };
        let meant = |key: &TargetKey| key.id == id && port.is_none_or(|port| port == key.port);
        for (key, target) in &mut group.targets {
            if meant(key) && target.state != TargetState::Draining {
                target.state = TargetState::Draining;
                target.draining_until = Some(until);
                let event = Event::Drained { target_group: arn.to_owned(), target: key.clone() };
                self.agenda.at(until, event);
            }
        }
    }

    pub(in crate::model) fn finish_draining(&mut self, arn: &str, key: &TargetKey, now: Timestamp) {
        let Some(group) = self.target_groups.get_mut(arn) else { return };
        let over = |until: Timestamp| until <= now;
        if group.targets.get(key).and_then(|target| target.draining_until).is_some_and(over) {
            group.targets.remove(key);
            self.agenda.at(now, Event::Advance { instance: key.id.clone() });
        }
    }

    /// Whether any target group still drains the instance.
    pub(in crate::model) fn is_draining(&self, id: &str) -> bool {
        let targets = self.target_groups.values().flat_map(|group| &group.targets);
        targets.into_iter().any(|(key, target)| key.id == id && target.state == TargetState::Draining)
    }
}
