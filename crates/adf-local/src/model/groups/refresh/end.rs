//! How a refresh ends.

use jiff::Timestamp;

use super::record::RefreshStatus;
use crate::model::Model;

impl Model {
    /// Every member is replaced and the bake time is over: the group takes the desired configuration as its own.
    pub(super) fn succeed(&mut self, group: &str, now: Timestamp) {
        let Some(refresh) = self.active_refresh(group) else { return };
        if refresh.status == RefreshStatus::RollbackInProgress {
            return self.end_refresh(group, RefreshStatus::RollbackSuccessful, None, now);
        }
        if let Some(desired) = refresh.desired.clone()
            && let Some(held) = self.groups.get_mut(group)
        {
            (held.template, held.mixed) = (Some(desired.template), desired.mixed);
        }
        self.end_refresh(group, RefreshStatus::Successful, None, now);
    }

    /// Failed, or turned around where that was asked for. Members stay as they are: versions may be mixed.
    pub(super) fn fail_refresh(&mut self, group: &str, reason: &str, now: Timestamp) {
        let Some(refresh) = self.active_refresh(group) else { return };
        if refresh.status == RefreshStatus::RollbackInProgress {
            self.end_refresh(group, RefreshStatus::RollbackFailed, Some(reason), now);
        } else if refresh.preferences.auto_rollback {
            self.begin_rollback(group, reason, now);
        } else {
            self.end_refresh(group, RefreshStatus::Failed, Some(reason), now);
        }
    }

    pub(super) fn end_refresh(
        &mut self,
        group: &str,
        status: RefreshStatus,
        reason: Option<&str>,
        now: Timestamp,
    ) {
        let Some(refresh) = self.refresh_mut(group) else { return };
        refresh.status = status;
        refresh.reason = reason.map(str::to_owned);
        refresh.ended_at = Some(now);
        refresh.stale.clear();
        self.set_surge(group, 0, now);
        self.reconcile_soon(group, now);
    }
}
