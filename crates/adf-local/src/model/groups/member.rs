//! An instance's membership in a group: its lifecycle state, its health in the group's eyes, the action it waits for.
//!
//! Neighbours: the verbs of this folder move it; `aws.md` §1 draws the machine.

use jiff::Timestamp;

use super::warm_pool::PoolState;
use crate::model::templates::TemplateRef;

/// Where a member is in its life (aws.md §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LifecycleState {
    Pending,
    PendingWait,
    PendingProceed,
    InService,
    EnteringStandby,
    Standby,
    Detaching,
    Terminating,
    TerminatingWait,
    TerminatingProceed,
    WarmedStopped,
    WarmedRunning,
    WarmedHibernated,
}

impl LifecycleState {
    /// AWS's name, `Pending:Wait`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::PendingWait => "Pending:Wait",
            Self::PendingProceed => "Pending:Proceed",
            Self::InService => "InService",
            Self::EnteringStandby => "EnteringStandby",
            Self::Standby => "Standby",
            Self::Detaching => "Detaching",
            Self::Terminating => "Terminating",
            Self::TerminatingWait => "Terminating:Wait",
            Self::TerminatingProceed => "Terminating:Proceed",
            Self::WarmedStopped => "Warmed:Stopped",
            Self::WarmedRunning => "Warmed:Running",
            Self::WarmedHibernated => "Warmed:Hibernated",
        }
    }

    /// Counted against desired capacity: not Standby, not leaving.
    pub fn counts(self) -> bool {
        matches!(self, Self::Pending | Self::PendingWait | Self::PendingProceed | Self::InService)
    }

    /// Prepared and waiting in a warm pool.
    pub fn is_warm_at_rest(self) -> bool {
        matches!(self, Self::WarmedStopped | Self::WarmedRunning | Self::WarmedHibernated)
    }

    /// On its way out for good.
    pub fn is_terminating(self) -> bool {
        matches!(self, Self::Terminating | Self::TerminatingWait | Self::TerminatingProceed)
    }
}

/// How a member in `Pending` got there, which decides whether hooks run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Launched by the group: launch hooks run.
    Launched,
    /// Attached: no hooks.
    Attached,
    /// Back from Standby: no hooks.
    LeftStandby,
}

/// A lifecycle action that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleAction {
    pub hook: String,
    pub token: String,
    /// When the hook's default result applies; heartbeats move it.
    pub deadline: Timestamp,
    /// No heartbeat moves the deadline beyond this.
    pub limit: Timestamp,
}

/// What a group knows of one member.
#[derive(Clone, Debug)]
pub struct Membership {
    pub group: String,
    pub state: LifecycleState,
    /// The group's own view of health; frozen in Standby.
    pub healthy: bool,
    pub protected_from_scale_in: bool,
    pub template: Option<TemplateRef>,
    pub entry: Entry,
    /// In the warm pool, or on its way into it: outside of desired capacity. What it does there.
    pub warm: Option<PoolState>,
    /// Start of the health check grace period.
    pub in_service_at: Option<Timestamp>,
    /// The action waiting now, in a `:Wait` state.
    pub action: Option<LifecycleAction>,
    /// Hooks of this transition that have not run yet.
    pub(in crate::model) hooks_left: Vec<String>,
    /// The activity that reports this transition.
    pub(in crate::model) activity: Option<String>,
}

impl Membership {
    /// Counted against desired capacity.
    pub fn counts(&self) -> bool {
        self.warm.is_none() && self.state.counts()
    }

    /// AWS's name of the state, `Warmed:Pending:Wait` for one that is on its way into the pool.
    pub fn state_name(&self) -> String {
        let name = self.state.name();
        if self.warm.is_some() && !self.state.is_warm_at_rest() {
            format!("Warmed:{name}")
        } else {
            name.to_owned()
        }
    }
}
