//! What health checks make of a target.

use jiff::Timestamp;

use super::{Probe, TargetKey, TargetState};
use crate::model::Model;

impl Model {
    /// The balancer reports one check. Checks of targets that are gone, drain or are not used change nothing.
    pub fn health_checked(&mut self, arn: &str, key: &TargetKey, probe: Probe, now: Timestamp) {
        let first_pass = self.settings.first_pass_is_healthy;
        if !self.is_used(arn) {
            return;
        }
        let Some(group) = self.target_groups.get_mut(arn) else { return };
        let (healthy_after, unhealthy_after) =
            (group.health.healthy_threshold, group.health.unhealthy_threshold);
        let Some(target) = group.targets.get_mut(key) else { return };
        let before = target.state;
        match probe {
            Probe::Passed => {
                (target.passes, target.failures) = (target.passes + 1, 0);
                let enough = target.passes >= healthy_after || first_pass && before == TargetState::Initial;
                if enough && matches!(before, TargetState::Initial | TargetState::Unhealthy) {
                    (target.state, target.failure) = (TargetState::Healthy, None);
                }
            }
            Probe::Failed { reason } => {
                (target.passes, target.failures) = (0, target.failures + 1);
                let enough = target.failures >= unhealthy_after;
                if enough && matches!(before, TargetState::Initial | TargetState::Healthy) {
                    target.state = TargetState::Unhealthy;
                }
                target.failure = Some(reason);
            }
        }
        match (before, target.state) {
            (TargetState::Initial, TargetState::Healthy) => self.attachment_works(arn, &key.id),
            (_, TargetState::Unhealthy) if before != TargetState::Unhealthy => {
                self.check_health_soon(&key.id, now);
            }
            _ => {}
        }
    }
}
