//! What to do next: a pure function of the fleet, the record and the time.
//!
//! Neighbours: `observe` makes the fleet, `act` performs the action, `drive` is the loop around them. No
//! clock and no I/O here. One file per step of a deploy, and `back` for the way back.
//!
//! Rules: at every moment at least as many instances as at the start are healthy in service; every wait has
//! a limit, and the limit has a name; nothing depends on an action having worked: the next observation
//! tells. To add a step: a variant of [`Step`], a file here, an arm in [`forward`].
//!
//! | file | what |
//! | --- | --- |
//! | `template` to `cleanup` | the steps, `refresh` being the other way to replace |
//! | `back` | the way back |
//! | `restart` | rebooting in place, forward and back |
//! | `operator` | what operators ask for meanwhile |
//! | `room`, `protect` | what the group is given for the time of two fleets |
//! | `wait` | limits, and patience with an AWS that shows its state late |

mod back;
mod canary;
mod cleanup;
mod judge;
mod operator;
mod promote;
mod protect;
mod refresh;
mod replace;
mod restart;
mod room;
mod template;
mod wait;
mod watch;

use adf_types::{
    Boots, Cause, DeployRecord, Direction, InstanceId, LoweredMin, Outcome, RaisedMax, Step, Verdict,
};
use jiff::Timestamp;

use super::fleet::{Fleet, Member, count};
use super::record::Change;
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
        cause: Cause,
    },
    /// An operator keeps the deploy where it is.
    Pause {
        by: String,
    },
    EndPause,
    /// Somebody scaled the group: this many instances are to serve at the end.
    Resize {
        instances: u32,
        /// The group's desired capacity, which tells it.
        desired: u32,
    },
    CreateTemplateVersion,
    LaunchCanary,
    /// Looks for a canary whose launch may have worked although nobody recorded it.
    FindCanary,
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
    RaiseMax(RaisedMax),
    /// Down to `to`, which is still more than its own if so many instances serve.
    RestoreMax(RaisedMax),
    Protect(Vec<InstanceId>),
    Unprotect(Vec<InstanceId>),
    /// An instance refresh to a template version.
    StartRefresh {
        version: u64,
    },
    /// The refresh that runs goes back to where it began.
    TurnRefresh,
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
    /// Each with the boot that it is in.
    Reboot(Boots),
    LowerMin(LoweredMin),
    RestoreMin(LoweredMin),
}

impl Action {
    /// How the intent of starting an instance refresh begins.
    pub const START_REFRESH: &'static str = "start an instance refresh";
    /// The intent of turning one back.
    pub const TURN_REFRESH: &'static str = "turn the instance refresh back";
    /// How the intent of rebooting instances begins.
    pub const REBOOT: &'static str = "reboot";

    /// What has to be on record before it is tried: a driver that dies in between leaves something behind that
    /// only the record can tell from somebody else's.
    pub fn announces(&self) -> Change {
        match self {
            Self::RaiseMax(max) => Change::RaisedMax(*max),
            Self::Protect(ids) => Change::Protected(ids.clone()),
            Self::SetDesired { instances } => Change::Desired(*instances),
            Self::Reboot(boots) => Change::Told(boots.clone()),
            Self::LowerMin(min) => Change::LoweredMin(*min),
            _ => Change::None,
        }
    }

    /// What is to be done, in the words of the deploy's log.
    pub fn intent(&self) -> String {
        match self {
            Self::Enter(step) => format!("begin {step}"),
            Self::TurnBack { reason, .. } => format!("{TURN_BACK}: {reason}"),
            Self::Pause { by } => format!("pause, as {by} asked"),
            Self::EndPause => "go on after the pause".to_owned(),
            Self::Resize { instances, .. } => format!("follow the group, which was scaled to {instances}"),
            Self::CreateTemplateVersion => "make a launch template version".to_owned(),
            Self::LaunchCanary => "launch the canary".to_owned(),
            Self::FindCanary => "look for a canary that was launched unrecorded".to_owned(),
            Self::RegisterCanary(id) => format!("register canary {id} with the target group"),
            Self::StartCanaryTraffic => "give the canary its share of the requests".to_owned(),
            Self::EndCanaryTraffic => "give the canary no more requests".to_owned(),
            Self::RecordVerdict(_) => "judge the canary".to_owned(),
            Self::SetGroupTemplate { version } => format!("let the group launch template version {version}"),
            Self::SetDesired { instances } => format!("set desired capacity to {instances}"),
            Self::RaiseMax(max) => format!("raise the group's maximum from {} to {}", max.from, max.to),
            Self::RestoreMax(max) => format!("set the group's maximum back to {}", max.to),
            Self::Protect(ids) => format!("protect {} from scale-in", list(ids)),
            Self::Unprotect(ids) => format!("end the protection of {} from scale-in", list(ids)),
            Self::StartRefresh { version } => {
                format!("{} to template version {version}", Self::START_REFRESH)
            }
            Self::TurnRefresh => Self::TURN_REFRESH.to_owned(),
            Self::EnterStandby(ids) => format!("put {} to Standby", list(ids)),
            Self::ExitStandby(ids) => format!("take {} out of Standby", list(ids)),
            Self::MarkReplaced => "every server runs the new release".to_owned(),
            Self::Terminate { ids, .. } => format!("terminate {}", list(ids)),
            Self::SetCurrent => "make the new release the current one".to_owned(),
            Self::DeregisterCanary(id) => format!("deregister canary {id}"),
            Self::TerminateCanary(id) => format!("terminate canary {id}"),
            Self::Reboot(boots) => format!("{} {}", Self::REBOOT, list(boots.keys())),
            Self::LowerMin(min) => format!("lower the group's minimum from {} to {}", min.from, min.to),
            Self::RestoreMin(min) => format!("set the group's minimum back to {}", min.from),
        }
    }
}

/// How the log line begins at which a deploy turns back.
pub const TURN_BACK: &str = "turn back";

fn list<'a>(ids: impl IntoIterator<Item = &'a InstanceId>) -> String {
    ids.into_iter().map(InstanceId::as_str).collect::<Vec<_>>().join(", ")
}

/// The next thing to do.
pub fn next_step(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    let decision = match &record.direction {
        Direction::Back { reason, .. } if record.is_restart() => restart::back(fleet, record, reason, now),
        Direction::Back { reason, .. } => back::plan(fleet, record, reason, now),
        Direction::Forward => operator::held(forward(fleet, record, now), fleet, record, now),
    };
    wait::patiently(decision, record, now)
}

fn forward(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    if let Some(asked) = operator::asked(fleet, record).or_else(|| resized(fleet, record)) {
        return asked;
    }
    match record.step {
        Step::Restart => restart::plan(fleet, record, now),
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

/// A group that is scaled while the deploy leaves its size alone ends with the size it was given.
fn resized(fleet: &Fleet, record: &DeployRecord) -> Option<Decision> {
    let version = record.progress.template_version;
    // What AWS shows may be older than what we did: in the watch no old instance is in service any more.
    let settled = match record.step {
        Step::Restart | Step::Replace | Step::Cleanup => false,
        Step::Watch => !fleet.old_ones(version).any(|m| !m.is(crate::aws::Lifecycle::Standby)),
        _ => true,
    };
    let scaled = fleet.desired != record.progress.capacity && fleet.desired > 0;
    let resize = || act(Action::Resize { instances: fleet.desired, desired: fleet.desired });
    (settled && scaled && !is_first(record)).then(resize)
}

/// New instances that are healthy, whose receipt says that they run this release, and whose agent is still heard.
fn healthy_new(fleet: &Fleet, record: &DeployRecord) -> u32 {
    let matching = |m: &&Member| !m.silent && m.receipt.as_ref().is_some_and(|r| r.release == record.to);
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

fn turn_back(cause: Cause, reason: impl Into<String>) -> Decision {
    act(Action::TurnBack { reason: reason.into(), cause })
}

#[cfg(test)]
pub(super) mod tests;
