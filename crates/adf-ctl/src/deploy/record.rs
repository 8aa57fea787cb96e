//! The record of a deploy as it grows: log lines, and what an action that was done changes. Pure.

use adf_types::{
    Boots, CanaryTraffic, Cause, DeployId, DeployRecord, Direction, InstanceId, LogEntry, LoweredMin, Policy,
    Progress, RaisedMax, ReleaseName, Step, Strategy, Verdict,
};
use jiff::Timestamp;

use super::plan::Wait;
use super::restorable::Restorable;
use crate::settings::AppNames;

/// What an action brought about that AWS does not tell later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    None,
    Entered(Step),
    TurnedBack(String, Cause),
    Paused,
    PauseEnded,
    /// Instances that are to serve at the end, and the group's desired capacity when that was seen.
    Resized {
        instances: u32,
        desired: u32,
    },
    Desired(u32),
    RaisedMax(RaisedMax),
    RestoredMax(RaisedMax),
    Protected(Vec<InstanceId>),
    Unprotected(Vec<InstanceId>),
    Template(u64),
    Canary(InstanceId),
    CanaryTraffic(CanaryTraffic),
    Judged(Verdict),
    Replaced,
    /// Instances that are told to reboot, each with the boot that it is in.
    Told(Boots),
    CalledBack(Vec<InstanceId>),
    LoweredMin(LoweredMin),
    RestoredMin,
}

/// How the result of an action begins that AWS said no to: it had no effect.
pub const REFUSED: &str = "refused";

/// How the result of an action begins that went wrong otherwise: it may have had its effect.
pub const FAILED: &str = "failed";

/// Whether an action is on record as one that went wrong.
pub fn is_failure(entry: &LogEntry) -> bool {
    entry.result.as_ref().is_some_and(|result| result.starts_with(FAILED) || result.starts_with(REFUSED))
}

/// What a deploy begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beginning {
    pub from: Option<ReleaseName>,
    pub to: ReleaseName,
    pub owner: String,
    pub policy: Policy,
    pub capacity: u32,
    pub old: Vec<InstanceId>,
    pub old_template_version: u64,
    /// What was found of the release before; `None` where there is none, or where it is what is left behind.
    pub way_back: Option<Restorable>,
}

pub fn begin(names: &AppNames, beginning: Beginning, now: Timestamp) -> DeployRecord {
    let mut policy = beginning.policy;
    if beginning.old.is_empty() {
        // An empty group has nothing to refresh: it would be over at once, with no instance started.
        policy.strategy = Strategy::Surge;
    }
    DeployRecord {
        id: DeployId::new(),
        app: names.app.clone(),
        group: names.group.clone(),
        from: beginning.from,
        to: beginning.to,
        owner: beginning.owner,
        policy,
        started_at: now,
        step: Step::Preflight,
        direction: Direction::Forward,
        progress: Progress {
            capacity: beginning.capacity,
            old: beginning.old,
            old_template_version: Some(beginning.old_template_version),
            ..Progress::default()
        },
        log: Vec::new(),
        outcome: None,
        finished_at: None,
    }
}

/// Writes down what is about to be done.
pub fn intend(record: &mut DeployRecord, step: Step, intent: String, now: Timestamp) {
    end_wait(record, now);
    let entry = LogEntry { step, intent, started_at: now, finished_at: None, result: None, waiting: None };
    record.log.push(entry);
}

/// Writes down what became of the latest intent, and changes the record accordingly.
pub fn done(record: &mut DeployRecord, change: Change, result: impl Into<String>, now: Timestamp) {
    if let Some(entry) = record.log.last_mut() {
        entry.finished_at = Some(now);
        entry.result = Some(result.into());
    }
    apply(record, change, now);
}

/// Changes the record by what was done, or by what is on record before it is tried: see [`Action::announces`].
///
/// [`Action::announces`]: super::plan::Action::announces
pub fn apply(record: &mut DeployRecord, change: Change, now: Timestamp) {
    let progress = &mut record.progress;
    match change {
        Change::None => {}
        Change::Entered(step) => record.step = step,
        Change::TurnedBack(reason, cause) => {
            progress.paused_at = None;
            record.direction = Direction::Back { reason, cause };
        }
        Change::Paused => progress.paused_at = Some(now),
        Change::PauseEnded => progress.paused_at = None,
        Change::Resized { instances, desired } => {
            progress.capacity = instances;
            progress.desired = Some(desired);
        }
        Change::Desired(instances) => progress.desired = Some(instances),
        Change::RaisedMax(max) => progress.raised_max = Some(max),
        Change::RestoredMax(max) => progress.raised_max = (max.to > max.from).then_some(max),
        Change::Protected(ids) => {
            progress.protected.extend(ids);
            progress.protected.sort();
            progress.protected.dedup();
        }
        Change::Unprotected(ids) => progress.protected.retain(|id| !ids.contains(id)),
        Change::Template(version) => progress.template_version = Some(version),
        Change::Canary(id) => progress.canary = Some(id),
        Change::CanaryTraffic(traffic) => progress.canary_traffic = Some(traffic),
        Change::Judged(verdict) => progress.verdict = Some(verdict),
        Change::Replaced => {
            progress.replaced_at = Some(now);
            record.step = Step::Watch;
        }
        Change::Told(_) | Change::CalledBack(_) | Change::LoweredMin(_) | Change::RestoredMin => {
            restart(progress, change);
        }
    }
}

fn restart(progress: &mut Progress, change: Change) {
    let Some(restart) = &mut progress.restart else { return };
    match change {
        Change::Told(boots) => restart.told.extend(boots),
        Change::CalledBack(ids) => restart.called_back.extend(ids),
        Change::LoweredMin(min) => restart.lowered_min = Some(min),
        _ => restart.lowered_min = None,
    }
}

/// Writes down that the deploy waits; answers whether that is news.
pub fn wait(record: &mut DeployRecord, wait: &Wait, now: Timestamp) -> bool {
    let goes_on = record.log.last().is_some_and(|entry| {
        entry.waiting == Some(wait.kind) && entry.finished_at.is_none() && entry.step == record.step
    });
    if goes_on {
        return false;
    }
    let step = record.step;
    intend(record, step, format!("wait for {}", wait.what), now);
    if let Some(entry) = record.log.last_mut() {
        entry.waiting = Some(wait.kind);
    }
    true
}

/// Ends the wait that is the latest line, if it is one.
pub fn end_wait(record: &mut DeployRecord, now: Timestamp) {
    if let Some(entry) = record.log.last_mut()
        && entry.waiting.is_some()
        && entry.finished_at.is_none()
    {
        entry.finished_at = Some(now);
        entry.result = Some("over".to_owned());
    }
}
