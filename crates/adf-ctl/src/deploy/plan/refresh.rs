//! Replace by Auto Scaling's own instance refresh, forward and back: for fleets that cannot grow.
//!
//! The refresh carries the template version with it and the group adopts it only when it succeeds, so until
//! then a scale-out starts what the refresh says. It goes on without a driver. One that somebody else started is
//! left alone.
//!
//! At its checkpoints it stands still by itself, and goes on by itself. Whatever speaks against the release turns it at
//! any moment; the checkpoints give that the time to show while most of the fleet is of the release before.

use adf_types::{Cause, Checkpoint, DeployRecord, Direction, LogEntry, Waiting};
use jiff::Timestamp;

use super::wait::{BOOT_TIMEOUT, Wait, after};
use super::{Action, Decision, act, turn_back, watch};
use crate::aws::{RefreshState, RefreshStatus};
use crate::deploy::fleet::{Fleet, count};

/// How long it stands still at a checkpoint, as the operator knows it.
const CHECKPOINT_DELAY: &str = "deploy.checkpoint_delay";

/// Forward: started once, then followed.
pub(super) fn plan(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    let Some(version) = record.progress.template_version else {
        return turn_back(Cause::Aws, "the template version is not on record any more");
    };
    let Some(refresh) = ours(fleet, record).filter(|r| r.template_version == Some(version)) else {
        return act(Action::StartRefresh { version });
    };
    match refresh.status {
        RefreshStatus::Going => against(fleet, record).unwrap_or_else(|| follow(fleet, refresh, record, now)),
        RefreshStatus::Successful => act(Action::MarkReplaced),
        RefreshStatus::Stopping | RefreshStatus::RolledBack | RefreshStatus::Ended => {
            turn_back(Cause::Aws, ended(refresh))
        }
    }
}

/// What fails the release, while most of the fleet may still be of the one before. A load balancer that does not like an
/// instance yet is no fact: without a launch hook an instance is registered before its app is there.
fn against(fleet: &Fleet, record: &DeployRecord) -> Option<Decision> {
    let fact = watch::against(fleet, record, |member| member.accepted)?;
    Some(turn_back(Cause::Release, format!("during the instance refresh, {fact}")))
}

/// Back: the refresh turns if it can; otherwise another one, to the version before.
pub(super) fn back(fleet: &Fleet, record: &DeployRecord, version: u64, now: Timestamp) -> Option<Decision> {
    let latest = ours(fleet, record);
    if let Some(refresh) = latest {
        match refresh.status {
            RefreshStatus::Going if refresh.template_version != Some(version) => {
                return Some(act(Action::TurnRefresh));
            }
            RefreshStatus::Going | RefreshStatus::Stopping => {
                return Some(follow(fleet, refresh, record, now));
            }
            RefreshStatus::Successful | RefreshStatus::RolledBack | RefreshStatus::Ended => {}
        }
    }
    let touched = fleet.new_ones(record.progress.template_version).next().is_some()
        || fleet.template_version != Some(version);
    touched.then(|| act(Action::StartRefresh { version }))
}

/// The latest refresh of the group, if this deploy knows of one that it started.
fn ours<'a>(fleet: &'a Fleet, record: &DeployRecord) -> Option<&'a RefreshState> {
    let known = [record.progress.template_version, record.progress.old_template_version];
    let began = record.log.iter().any(|entry| entry.intent.starts_with(Action::START_REFRESH));
    fleet.refresh.as_ref().filter(|r| began && known.contains(&r.template_version))
}

/// What a refresh is given time for: one start after the other may take its boot time, so the limit grows with the fleet,
/// and each checkpoint its delay.
struct Limit {
    starts: u32,
    checkpoints: u32,
    until: Timestamp,
}

impl Limit {
    /// The way back has as much again, although AWS does not say whether it stands still at checkpoints then.
    fn of(record: &DeployRecord) -> Self {
        let (capacity, policy) = (record.progress.capacity, &record.policy);
        let starts = policy.checkpoints.starts(capacity, policy.surge.of(capacity)) + 1;
        // The whole fleet is a checkpoint, too, where there are any; AWS does not say whether it waits at that.
        let parts = count(policy.checkpoints.parts(capacity).iter());
        let checkpoints = if parts > 1 { parts } else { 0 };
        let delays = policy.checkpoint_delay.saturating_mul(checkpoints);
        let time = policy.boot_timeout.saturating_mul(starts).saturating_add(delays);
        Self { starts, checkpoints, until: after(begun(record), time) }
    }

    fn exceeded(&self, refresh: &RefreshState) -> String {
        let (starts, checkpoints) = (self.starts, self.checkpoints);
        let delays = match checkpoints {
            0 => String::new(),
            _ => format!(" and {CHECKPOINT_DELAY} for each of {checkpoints} checkpoints"),
        };
        format!(
            "instance refresh {} is at {} % after {BOOT_TIMEOUT} for each of {starts} batches{delays}",
            refresh.id, refresh.percent
        )
    }
}

fn follow(fleet: &Fleet, refresh: &RefreshState, record: &DeployRecord, now: Timestamp) -> Decision {
    let limit = Limit::of(record);
    if now >= limit.until {
        return stuck(record, limit.exceeded(refresh));
    }
    let (what, kind) = match stands_at(fleet, refresh, record) {
        Some(checkpoint) => (standing(refresh, record, checkpoint), Waiting::Configured),
        None => (format!("instance refresh {}: {} % done", refresh.id, refresh.percent), Waiting::Instances),
    };
    Decision::Wait(Wait { what, kind, until: limit.until, limit: BOOT_TIMEOUT })
}

/// When the refresh was started, or turned.
fn begun(record: &DeployRecord) -> Timestamp {
    let begins =
        |e: &&LogEntry| e.intent.starts_with(Action::START_REFRESH) || e.intent == Action::TURN_REFRESH;
    record.log.iter().rev().find(begins).map_or(record.started_at, |entry| entry.started_at)
}

/// The checkpoint that was reached, until the first instance of the next part is there. How AWS words that it waits is not
/// documented, so the numbers tell.
fn stands_at(fleet: &Fleet, refresh: &RefreshState, record: &DeployRecord) -> Option<Checkpoint> {
    if record.direction != Direction::Forward {
        return None;
    }
    let all = record.policy.checkpoints.of(record.progress.capacity);
    let reached = all.into_iter().rfind(|checkpoint| checkpoint.share.percent() <= refresh.percent)?;
    let new = count(fleet.new_ones(record.progress.template_version));
    (new == reached.instances).then_some(reached)
}

fn standing(refresh: &RefreshState, record: &DeployRecord, checkpoint: Checkpoint) -> String {
    format!(
        "instance refresh {} at its checkpoint {}, to go on by itself after {} s: {} of {} instances are new",
        refresh.id,
        checkpoint.share,
        record.policy.checkpoint_delay.as_secs(),
        checkpoint.instances,
        record.progress.capacity,
    )
}

fn stuck(record: &DeployRecord, reason: String) -> Decision {
    if record.direction == Direction::Forward {
        return turn_back(Cause::Aws, reason);
    }
    let serving = "both releases serve; adf-ctl status shows them".to_owned();
    Decision::Finish(adf_types::Outcome::Failed { reason, serving })
}

fn ended(refresh: &RefreshState) -> String {
    let why = refresh.reason.as_deref().unwrap_or("AWS gives no reason");
    format!("instance refresh {} did not succeed, it is {}: {why}", refresh.id, refresh.word)
}
