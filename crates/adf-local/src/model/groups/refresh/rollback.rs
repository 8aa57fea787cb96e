//! `RollbackInstanceRefresh`, and the rollback that a failed refresh makes of itself.

use jiff::Timestamp;

use super::cancel::no_active_refresh;
use super::record::{RefreshStatus, Rollback};
use super::start::reversible;
use crate::model::{ApiError, Model};

impl Model {
    /// Turns the active refresh around: members of the desired configuration are replaced by the group's own.
    pub fn rollback_instance_refresh(&mut self, group: &str, now: Timestamp) -> Result<String, ApiError> {
        let held = self.existing_group(group)?;
        let turning = matches!(
            held.active_refresh().map(|it| it.status),
            Some(RefreshStatus::Pending | RefreshStatus::InProgress | RefreshStatus::Baking)
        );
        let Some(refresh) = held.active_refresh().filter(|_| turning) else {
            return Err(no_active_refresh("rolled back"));
        };
        reversible(held, refresh.desired.as_ref(), "IrreversibleInstanceRefresh")?;
        let id = refresh.id.clone();
        self.begin_rollback(group, "Rollback was requested by the user.", now);
        Ok(id)
    }

    pub(super) fn begin_rollback(&mut self, group: &str, reason: &str, now: Timestamp) {
        let stale = self.unlike_the_group(group);
        let total = u32::try_from(stale.len()).unwrap_or(u32::MAX);
        let Some(refresh) = self.refresh_mut(group) else { return };
        refresh.rollback = Some(Rollback {
            reason: reason.to_owned(),
            started_at: now,
            percentage: refresh.percentage,
            instances_to_update: refresh.instances_to_update,
        });
        refresh.status = RefreshStatus::RollbackInProgress;
        refresh.reason = Some(reason.to_owned());
        (refresh.stale, refresh.total, refresh.left) = (stale, total, total);
        // What was launched ahead stays: the way back, too, keeps the least that is to serve.
        (refresh.progress_at, refresh.waits_until) = (now, None);
    }
}
