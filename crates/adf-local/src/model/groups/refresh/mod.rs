//! Instance refresh (aws.md §6): a group replaces its members, a few at a time, with members of a desired configuration.
//!
//! Neighbours: `reconcile` launches whatever is missing, from the configuration that [`Group::launching`] names while a
//! refresh runs; this folder only chooses when which old member goes, and how many more than desired there may be.
//! The rule kept: an old member goes only while the serving ones, new ones counted after health and warm-up,
//! stay at the minimum healthy percentage.
//!
//! Glossary: *stale* members are still to be replaced; a new member is *ready* when it is healthy and warmed up; a refresh is
//! *active* until it has ended. A step looks at the whole group anew each time, so a refresh has no queue that could be wrong.

mod alarm;
mod cancel;
mod census;
mod checkpoint;
mod end;
mod preferences;
mod record;
mod replace;
mod rollback;
mod start;
mod step;

pub use preferences::{RefreshPreferences, Strays};
pub use record::{InstanceRefresh, RefreshStatus, Rollback};
pub use start::RefreshRequest;

use super::Group;
use super::mixed::LaunchConfiguration;
use crate::model::{ApiError, Model};

impl Group {
    /// The refresh that has not ended, if there is one.
    pub fn active_refresh(&self) -> Option<&InstanceRefresh> {
        self.refreshes.last().filter(|refresh| refresh.status.is_active())
    }

    /// What a launch is made from now: the desired configuration while a refresh runs, else the group's own.
    pub fn launching(&self) -> Option<LaunchConfiguration> {
        let desired = self
            .active_refresh()
            .filter(|refresh| refresh.status.launches_desired())
            .and_then(|refresh| refresh.desired.clone());
        desired.or_else(|| self.own_configuration())
    }

    /// The configuration of the group itself.
    pub fn own_configuration(&self) -> Option<LaunchConfiguration> {
        Some(LaunchConfiguration { template: self.template.clone()?, mixed: self.mixed.clone() })
    }
}

impl Model {
    /// A group's refreshes, newest first.
    pub fn instance_refreshes(&self, group: &str) -> Result<Vec<&InstanceRefresh>, ApiError> {
        Ok(self.existing_group(group)?.refreshes.iter().rev().collect())
    }

    /// What AWS refuses while a refresh is active.
    pub(super) fn refuse_during_refresh(&self, group: &str) -> Result<(), ApiError> {
        match self.existing_group(group)?.active_refresh() {
            None => Ok(()),
            Some(active) => Err(ApiError::new(
                "InstanceRefreshInProgress",
                format!(
                    "An Instance Refresh is already in progress and blocks the execution of this request. Instance Refresh ID: {}",
                    active.id
                ),
            )),
        }
    }

    fn refresh_mut(&mut self, group: &str) -> Option<&mut InstanceRefresh> {
        self.groups.get_mut(group)?.refreshes.last_mut().filter(|refresh| refresh.status.is_active())
    }

    fn active_refresh(&self, group: &str) -> Option<&InstanceRefresh> {
        self.groups.get(group)?.active_refresh()
    }

    /// How many members there may be above desired.
    fn set_surge(&mut self, group: &str, surge: u32, now: jiff::Timestamp) {
        if let Some(held) = self.groups.get_mut(group).filter(|it| it.refresh_surge != surge) {
            let less = surge < held.refresh_surge;
            held.refresh_surge = surge;
            if less {
                self.withdraw_unborn(group, now);
            }
            self.reconcile_soon(group, now);
        }
    }
}
