//! An instance's machine: booted, rebooted, terminated, gone.
//!
//! Neighbours: the agenda boots and forgets, the runner reports a machine that is really gone, `groups` is told
//! of every change of a member's state.

use jiff::Timestamp;

use super::{Instance, InstanceState};
use crate::model::agenda::Event;
use crate::model::{ApiError, Model};

/// What `TerminateInstances` answers for one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChange {
    pub id: String,
    pub previous: InstanceState,
    pub current: InstanceState,
}

impl Model {
    /// The instance, or AWS's `InvalidInstanceID.NotFound`.
    pub fn existing_instance(&self, id: &str) -> Result<&Instance, ApiError> {
        self.instances.get(id).ok_or_else(|| no_such_instances(&[id]))
    }

    /// Terminates all of them, or none when one id is unknown. Terminating twice is fine.
    pub fn terminate_instances(
        &mut self,
        ids: &[String],
        now: Timestamp,
    ) -> Result<Vec<StateChange>, ApiError> {
        self.check_instance_ids(ids)?;
        let change = |model: &mut Self, id: &String| {
            let previous = model.instances[id].state;
            model.shut_down(id, "Client.UserInitiatedShutdown", "User initiated shutdown", now);
            StateChange { id: id.clone(), previous, current: model.instances[id].state }
        };
        Ok(ids.iter().map(|id| change(self, id)).collect())
    }

    /// Queues a reboot of each running instance; terminated ids are ignored.
    pub fn reboot_instances(&mut self, ids: &[String]) -> Result<(), ApiError> {
        self.check_instance_ids(ids)?;
        for id in ids {
            if let Some(instance) = self.instances.get_mut(id).filter(|it| it.state == InstanceState::Running)
            {
                instance.boots += 1;
            }
        }
        Ok(())
    }

    /// The machine of a shutting-down instance is gone: it is terminated.
    pub fn instance_halted(&mut self, id: &str, now: Timestamp) {
        let Some(instance) = self.instances.get_mut(id) else { return };
        if instance.state != InstanceState::ShuttingDown {
            return;
        }
        instance.state = InstanceState::Terminated;
        self.network.release(instance.private_ip);
        self.agenda.at(now + self.settings.terminated_visible, Event::Forget { instance: id.to_owned() });
        self.member_terminated(id, now);
    }

    /// Starts the end of an instance, whoever asked for it.
    pub(in crate::model) fn shut_down(&mut self, id: &str, code: &'static str, why: &str, now: Timestamp) {
        let Some(instance) = self.instances.get_mut(id) else { return };
        if matches!(instance.state, InstanceState::ShuttingDown | InstanceState::Terminated) {
            return;
        }
        instance.state = InstanceState::ShuttingDown;
        instance.state_reason = Some((code, format!("{code}: {why}")));
        self.agenda.at(now + self.settings.halt_limit, Event::Halt { instance: id.to_owned() });
        self.member_stopped_running(id, now);
    }

    pub(in crate::model) fn boot(&mut self, id: &str, now: Timestamp) {
        let Some(instance) = self.instances.get_mut(id) else { return };
        if instance.state == InstanceState::Pending {
            instance.state = InstanceState::Running;
            self.agenda.at(now, Event::Advance { instance: id.to_owned() });
        }
    }

    /// Terminated instances stay while a group still lists them.
    pub(in crate::model) fn forget(&mut self, id: &str) {
        if self.instances.get(id).is_some_and(|instance| instance.membership.is_none()) {
            self.instances.remove(id);
        }
    }

    pub(in crate::model) fn check_instance_ids(&self, ids: &[String]) -> Result<(), ApiError> {
        let unknown: Vec<&str> =
            ids.iter().map(String::as_str).filter(|id| !self.instances.contains_key(*id)).collect();
        if ids.is_empty() {
            Err(ApiError::missing("InstanceId"))
        } else if unknown.is_empty() {
            Ok(())
        } else {
            Err(no_such_instances(&unknown))
        }
    }
}

fn no_such_instances(ids: &[&str]) -> ApiError {
    let text = match ids {
        [one] => format!("The instance ID '{one}' does not exist"),
        many => format!("The instance IDs '{}' do not exist", many.join(", ")),
    };
    ApiError::new("InvalidInstanceID.NotFound", text)
}
