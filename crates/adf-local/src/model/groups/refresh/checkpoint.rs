//! Checkpoints: where a refresh pauses, and where a partial one ends.

use jiff::Timestamp;

use super::record::{InstanceRefresh, RefreshStatus};
use crate::model::Model;

impl InstanceRefresh {
    /// How many members may have been replaced before the next pause.
    pub(super) fn allowance(&self) -> u32 {
        let next = self.preferences.checkpoints.get(self.checkpoints).copied();
        let percentage = match self.status {
            RefreshStatus::InProgress => next.unwrap_or(100),
            _ => 100,
        };
        (self.total * percentage).div_ceil(100)
    }

    /// The last checkpoint of a partial refresh is where it ends.
    pub(super) fn is_complete(&self) -> bool {
        let last = self.preferences.checkpoints.last().copied().unwrap_or(100);
        let goal = if self.status == RefreshStatus::InProgress { last } else { 100 };
        let updated = self.total.saturating_sub(self.left);
        if goal == 100 { self.left == 0 } else { updated * 100 >= self.total * goal }
    }
}

impl Model {
    /// Pauses at a checkpoint that was reached; true while the pause lasts.
    pub(super) fn pauses_at_checkpoint(&mut self, group: &str, now: Timestamp) -> bool {
        let Some(refresh) = self.refresh_mut(group) else { return true };
        if refresh.status != RefreshStatus::InProgress {
            return false;
        }
        let reached = refresh.preferences.checkpoints.iter().filter(|it| **it <= refresh.percentage).count();
        if reached > refresh.checkpoints {
            refresh.checkpoints = reached;
            refresh.waits_until = Some(now + refresh.preferences.checkpoint_delay);
        }
        match refresh.waits_until {
            Some(until) if now < until => {
                refresh.progress_at = now;
                refresh.reason = Some(format!(
                    "Waiting {} seconds before continuing. Checkpoint reached at {}%.",
                    until.duration_since(now).as_secs(),
                    refresh.percentage
                ));
                true
            }
            _ => {
                refresh.waits_until = None;
                false
            }
        }
    }
}
