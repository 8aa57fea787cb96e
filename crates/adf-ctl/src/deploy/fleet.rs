//! What an app's servers look like at one moment: a plain value, made by `observe`, read by `plan`.
//!
//! | word | meaning here |
//! | --- | --- |
//! | new | a member that was launched from this deploy's template version |
//! | old | any other member: the release before, or one that a scale-out started before promote |
//! | healthy | in service, well by its own receipt, and well by the load balancer |

use std::time::Duration;

use adf_store::CurrentRelease;
use adf_types::{InstanceId, InstanceState, OperatorRequest, Receipt};

use super::judge::Evidence;
use crate::aws::{Lifecycle, MachineState, RefreshState, TargetState};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    pub desired: u32,
    pub min: u32,
    pub max: u32,
    /// The version that the group launches; `None` when it floats (`$Latest`).
    pub template_version: Option<u64>,
    /// Whether a load balancer has a say in who is healthy.
    pub balanced: bool,
    /// The target group's deregistration delay.
    pub drain: Duration,
    pub members: Vec<Member>,
    pub canary: Option<Canary>,
    /// Receipts of instances that are no longer members.
    pub gone: Vec<Receipt>,
    pub requested: Option<OperatorRequest>,
    /// What CloudWatch was seen to say, while it has a say.
    pub evidence: Evidence,
    /// What the app runs on record; read only when a deploy is about to end.
    pub current: Option<CurrentRelease>,
    /// The group's latest instance refresh; read only by deploys of that strategy.
    pub refresh: Option<RefreshState>,
    /// What keeps the group from launching, since this driver looks.
    pub launch_trouble: Option<LaunchTrouble>,
}

/// Why a group's launches fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaunchTrouble {
    pub reason: String,
    /// Waiting does not mend it, as it may a zone that has no machines left.
    pub lasting: bool,
}

/// An instance of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub id: InstanceId,
    pub lifecycle: Lifecycle,
    pub template_version: Option<u64>,
    pub target: Option<TargetState>,
    /// The load balancer has found it healthy before, since this driver looks.
    pub accepted: bool,
    pub receipt: Option<Receipt>,
    /// Kept from being taken by scale-in.
    pub protected: bool,
    /// Its receipt stands still for longer than an agent that lives lets it.
    pub silent: bool,
}

/// The deploy's canary, which is no member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    pub id: InstanceId,
    /// `None` while EC2 does not show it yet.
    pub machine: Option<MachineState>,
    pub target: Option<TargetState>,
    pub receipt: Option<Receipt>,
}

impl Fleet {
    /// Members of this deploy's template version that are not on their way out.
    pub fn new_ones(&self, version: Option<u64>) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |m| m.is_new(version) && m.lifecycle != Lifecycle::Leaving)
    }

    /// All other members that are not on their way out.
    pub fn old_ones(&self, version: Option<u64>) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(move |m| !m.is_new(version) && m.lifecycle != Lifecycle::Leaving)
    }

    pub fn is_healthy(&self, member: &Member) -> bool {
        let target = !self.balanced || member.target == Some(TargetState::Healthy);
        member.lifecycle == Lifecycle::InService && target && member.receipt_is_well()
    }

    /// Instances that desired capacity asks for and the group does not show yet.
    pub fn unborn(&self) -> u32 {
        let counted = |m: &&Member| matches!(m.lifecycle, Lifecycle::Pending | Lifecycle::InService);
        self.desired.saturating_sub(count(self.members.iter().filter(counted)))
    }
}

impl Member {
    fn is_new(&self, version: Option<u64>) -> bool {
        version.is_some() && self.template_version == version
    }

    pub fn is(&self, lifecycle: Lifecycle) -> bool {
        self.lifecycle == lifecycle
    }

    /// In Standby or on its way there: running, and not counted by desired capacity.
    pub fn is_resting(&self) -> bool {
        matches!(self.lifecycle, Lifecycle::EnteringStandby | Lifecycle::Standby)
    }

    /// In Standby, or on its way there and, as the load balancer says, sent no new request any more.
    pub fn is_out_of_traffic(&self) -> bool {
        let drains = matches!(self.target, Some(TargetState::Draining | TargetState::Unused { .. }));
        self.is(Lifecycle::Standby) || (self.is(Lifecycle::EnteringStandby) && drains)
    }

    /// An instance without a receipt (older than ADF) is judged by the load balancer alone.
    fn receipt_is_well(&self) -> bool {
        self.receipt.as_ref().is_none_or(Receipt::is_serving)
    }

    /// Why the instance gave up, if it did.
    pub fn failure(&self) -> Option<String> {
        self.receipt.as_ref().and_then(failure)
    }
}

/// The sentence of a receipt that says `failed`, with the last lines of its log.
pub fn failure(receipt: &Receipt) -> Option<String> {
    let InstanceState::Failed { stage, reason, log_tail } = &receipt.state else { return None };
    let tail = log_tail.iter().rev().take(LOG_LINES).rev();
    let said = format!("{} failed at stage {stage}: {reason}", receipt.instance);
    Some(tail.fold(said, |said, line| said + "\n  | " + line))
}

/// Enough to see a stack trace's end, short enough for a terminal.
const LOG_LINES: usize = 10;

/// A number of instances; a group has at most a few thousand.
pub fn count<T>(items: impl Iterator<Item = T>) -> u32 {
    u32::try_from(items.count()).unwrap_or(u32::MAX)
}
