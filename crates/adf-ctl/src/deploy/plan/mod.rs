//! What to do next: a pure function of the fleet, the record and the time.
//!
//! Neighbours: `observe` makes the fleet, `act` performs the action, `drive` is the loop around them. No
//! clock and no I/O here. One file per step of a deploy, and `back` for the way back.
//!
//! Rules: at every moment at least as many instances as at the start are healthy in service; every wait has
//! a limit, and the limit has a name; nothing depends on an action having worked: the next observation
//! tells. To add a step: a variant of [`Step`], a file here, an arm in [`forward`].

mod back;
mod canary;
mod cleanup;
mod judge;
mod promote;
mod replace;
mod template;
mod wait;
mod watch;

use adf_types::{DeployRecord, Direction, InstanceId, OperatorRequest, Outcome, Step, Verdict};
use jiff::Timestamp;

use super::fleet::{Fleet, Member, count};
pub use wait::{BOOT_TIMEOUT, Wait};

/// `EnterStandby`, `ExitStandby` take at most 20 instances a call; single terminations keep the same measure,
/// so that the lock's heartbeat is never far away.
pub const BATCH: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    Act(Action),
    Wait(Wait),
    Finish(Outcome),
}

/// One thing to do, each of them harmless when it was done already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Go on to the next step; nothing else happens.
    Enter(Step),
    /// Give up and go back.
    TurnBack {
        reason: String,
    },
    CreateTemplateVersion,
    LaunchCanary,
    RegisterCanary(InstanceId),
    /// Users' requests go to the canary's own target group, too.
    StartCanaryTraffic,
    /// They do no more.
    EndCanaryTraffic,
    RecordVerdict(Verdict),
    SetGroupTemplate {
        version: u64,
    },
    SetDesired {
        instances: u32,
    },
    EnterStandby(Vec<InstanceId>),
    ExitStandby(Vec<InstanceId>),
    /// Every server runs the new release: the watch begins.
    MarkReplaced,
    /// With `decrement` the group does not replace them.
    Terminate {
        ids: Vec<InstanceId>,
        decrement: bool,
    },
    /// The new release is the app's current one.
    SetCurrent,
    DeregisterCanary(InstanceId),
    TerminateCanary(InstanceId),
}

impl Action {
    /// What is to be done, in the words of the deploy's log.
    pub fn intent(&self) -> String {
        match self {
            Self::Enter(step) => format!("begin {step}"),
            Self::TurnBack { reason } => format!("{TURN_BACK}: {reason}"),
            Self::CreateTemplateVersion => "make a launch template version".to_owned(),
            Self::LaunchCanary => "launch the canary".to_owned(),
            Self::RegisterCanary(id) => format!("register canary {id} with the target group"),
            Self::StartCanaryTraffic => "give the canary its share of the requests".to_owned(),
            Self::EndCanaryTraffic => "give the canary no more requests".to_owned(),
            Self::RecordVerdict(_) => "judge the canary".to_owned(),
            Self::SetGroupTemplate { version } => format!("let the group launch template version {version}"),
            Self::SetDesired { instances } => format!("set desired capacity to {instances}"),
            Self::EnterStandby(ids) => format!("put {} to Standby", list(ids)),
            Self::ExitStandby(ids) => format!("take {} out of Standby", list(ids)),
            Self::MarkReplaced => "every server runs the new release".to_owned(),
            Self::Terminate { ids, .. } => format!("terminate {}", list(ids)),
            Self::SetCurrent => "make the new release the current one".to_owned(),
            Self::DeregisterCanary(id) => format!("deregister canary {id}"),
            Self::TerminateCanary(id) => format!("terminate canary {id}"),
        }
    }
}

/// How the log line begins at which a deploy turns back.
pub const TURN_BACK: &str = "turn back";

fn list(ids: &[InstanceId]) -> String {
    ids.iter().map(InstanceId::as_str).collect::<Vec<_>>().join(", ")
}

/// The next thing to do.
pub fn next_step(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    let decision = match &record.direction {
        Direction::Back { reason } => back::plan(fleet, record, reason, now),
        Direction::Forward => forward(fleet, record, now),
    };
    wait::patiently(decision, record, now)
}

fn forward(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    // Cleanup is the point of no return: the old instances are being terminated.
    if record.step < Step::Cleanup
        && let Some(OperatorRequest::Rollback { by, reason }) = &fleet.requested
    {
        return turn_back(format!("{by} asked for it: {reason}"));
    }
    match record.step {
        Step::Preflight => Decision::Act(Action::Enter(Step::Template)),
        Step::Template => template::plan(record),
        Step::Canary => canary::plan(fleet, record, now),
        Step::Judge => judge::plan(fleet, record, now),
        Step::Promote => promote::plan(fleet, record),
        Step::Replace => replace::plan(fleet, record, now),
        Step::Watch => watch::plan(fleet, record, now),
        Step::Cleanup => cleanup::plan(fleet, record, now),
    }
}

/// New instances that are healthy and whose receipt says that they run this release.
fn healthy_new(fleet: &Fleet, record: &DeployRecord) -> u32 {
    let matching = |m: &&Member| m.receipt.as_ref().is_some_and(|r| r.release == record.to);
    let new = fleet.new_ones(record.progress.template_version).filter(matching);
    count(new.filter(|m| fleet.is_healthy(m)))
}

/// A first deploy has no fleet to protect, and none to go back to.
pub fn is_first(record: &DeployRecord) -> bool {
    record.progress.old.is_empty()
}

fn act(action: Action) -> Decision {
    Decision::Act(action)
}

fn turn_back(reason: impl Into<String>) -> Decision {
    act(Action::TurnBack { reason: reason.into() })
}

#[cfg(test)]
mod tests;
