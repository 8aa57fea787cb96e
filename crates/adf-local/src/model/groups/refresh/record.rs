//! One instance refresh, as it is kept and shown.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::preferences::RefreshPreferences;
use crate::model::groups::mixed::LaunchConfiguration;

/// How a refresh stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshStatus {
    Pending,
    InProgress,
    /// Every instance is replaced, the bake time runs.
    Baking,
    Successful,
    Failed,
    /// Ends when what is starting or stopping has done so.
    Cancelling,
    Cancelled,
    RollbackInProgress,
    RollbackSuccessful,
    RollbackFailed,
}

impl RefreshStatus {
    /// AWS's name, `RollbackInProgress`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Baking => "Baking",
            Self::Successful => "Successful",
            Self::Failed => "Failed",
            Self::Cancelling => "Cancelling",
            Self::Cancelled => "Cancelled",
            Self::RollbackInProgress => "RollbackInProgress",
            Self::RollbackSuccessful => "RollbackSuccessful",
            Self::RollbackFailed => "RollbackFailed",
        }
    }

    /// It has not ended.
    pub fn is_active(self) -> bool {
        matches!(
            self,
            Self::Pending | Self::InProgress | Self::Baking | Self::Cancelling | Self::RollbackInProgress
        )
    }

    /// The group launches from the desired configuration.
    pub(super) fn launches_desired(self) -> bool {
        matches!(self, Self::InProgress | Self::Baking | Self::Cancelling)
    }
}

/// What `RollbackDetails` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    pub reason: String,
    pub started_at: Timestamp,
    /// Of the refresh, when it was turned around.
    pub percentage: u32,
    /// Of the refresh, when it was turned around.
    pub instances_to_update: u32,
}

/// A refresh.
#[derive(Clone, Debug)]
pub struct InstanceRefresh {
    pub id: String,
    pub status: RefreshStatus,
    pub reason: Option<String>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    /// Falls to 0 during a rollback.
    pub percentage: u32,
    pub instances_to_update: u32,
    pub preferences: RefreshPreferences,
    /// None: the group's own configuration is what members are replaced by.
    pub desired: Option<LaunchConfiguration>,
    pub rollback: Option<Rollback>,
    /// Members still to be replaced.
    pub(in crate::model::groups) stale: BTreeSet<String>,
    /// How many were to be replaced at the start, or later if the group grew.
    pub(super) total: u32,
    /// How many are left, of the refresh or of its rollback.
    pub(super) left: u32,
    /// When something last went forward.
    pub(super) progress_at: Timestamp,
    /// How many checkpoints have been reached.
    pub(super) checkpoints: usize,
    /// The end of a checkpoint's delay or of the bake time.
    pub(super) waits_until: Option<Timestamp>,
}
