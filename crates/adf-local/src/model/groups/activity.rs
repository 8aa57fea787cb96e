//! Scaling activities: the group's own account of what it did and why.

use jiff::Timestamp;

/// How a scaling activity stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActivityStatus {
    PreInService,
    InProgress,
    MidLifecycleAction,
    WaitingForElbConnectionDraining,
    Successful,
    Failed,
    Cancelled,
}

impl ActivityStatus {
    /// AWS's name, `WaitingForELBConnectionDraining`.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreInService => "PreInService",
            Self::InProgress => "InProgress",
            Self::MidLifecycleAction => "MidLifecycleAction",
            Self::WaitingForElbConnectionDraining => "WaitingForELBConnectionDraining",
            Self::Successful => "Successful",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
        }
    }

    /// Per cent, as AWS reports it.
    pub fn progress(self) -> i32 {
        match self {
            Self::PreInService => 30,
            Self::InProgress => 50,
            Self::MidLifecycleAction | Self::WaitingForElbConnectionDraining => 60,
            Self::Successful | Self::Failed | Self::Cancelled => 100,
        }
    }
}

/// A scaling activity.
#[derive(Clone, Debug)]
pub struct Activity {
    pub id: String,
    pub group: String,
    pub description: String,
    pub cause: String,
    pub status: ActivityStatus,
    pub message: Option<String>,
    pub zone: Option<String>,
    pub subnet_id: Option<String>,
    pub started_at: Timestamp,
    pub ended_at: Option<Timestamp>,
}
