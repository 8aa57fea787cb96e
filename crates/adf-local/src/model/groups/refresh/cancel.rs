//! `CancelInstanceRefresh`: what is replaced stays replaced.

use jiff::Timestamp;

use super::record::RefreshStatus;
use crate::model::groups::LifecycleState;
use crate::model::{ApiError, Model};

impl Model {
    /// Ends the active refresh, or its rollback, after the instances that start or stop just now unless `wait` is false.
    /// Cancelling twice is the same as once (undocumented).
    pub fn cancel_instance_refresh(
        &mut self,
        group: &str,
        wait: bool,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        self.existing_group(group)?;
        let surplus = self.counting(group).saturating_sub(self.groups[group].desired);
        let refresh = self.refresh_mut(group).ok_or_else(|| no_active_refresh("cancelled"))?;
        refresh.status = RefreshStatus::Cancelling;
        refresh.reason = Some("Replacing instances before cancelling.".to_owned());
        let id = refresh.id.clone();
        // Nobody new is launched, and whoever was launched ahead of an old one may arrive.
        self.set_surge(group, surplus, now);
        if !wait {
            self.end_refresh(group, RefreshStatus::Cancelled, Some("Cancelled due to user request."), now);
        }
        Ok(id)
    }

    pub(super) fn finish_cancelling(&mut self, group: &str, now: Timestamp) {
        let moving = self.members(group).any(|(_, member)| {
            matches!(
                member.state,
                LifecycleState::Pending | LifecycleState::PendingWait | LifecycleState::PendingProceed
            ) || member.state.is_terminating()
        });
        if !moving {
            self.end_refresh(group, RefreshStatus::Cancelled, Some("Cancelled due to user request."), now);
        }
    }
}

pub(super) fn no_active_refresh(what: &str) -> ApiError {
    ApiError::new(
        "ActiveInstanceRefreshNotFound",
        format!("No in progress or pending Instance Refresh found to be {what}."),
    )
}
