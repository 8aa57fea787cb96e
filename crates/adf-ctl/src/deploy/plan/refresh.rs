//! Replace by Auto Scaling's own instance refresh, forward and back: for fleets that cannot grow.
//!
//! The refresh carries the template version with it and the group adopts it only when it succeeds, so until
//! then a scale-out starts what the refresh says. It goes on without a driver. One that somebody else started is
//! left alone.

use adf_types::{Cause, DeployRecord, LogEntry, Waiting};
use jiff::Timestamp;

use super::wait::{BOOT_TIMEOUT, Wait, after};
use super::{Action, Decision, act, turn_back};
use crate::aws::{RefreshState, RefreshStatus};
use crate::deploy::fleet::Fleet;

/// Forward: started once, then followed.
pub(super) fn plan(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    let Some(version) = record.progress.template_version else {
        return turn_back(Cause::Aws, "the template version is not on record any more");
    };
    let Some(refresh) = ours(fleet, record).filter(|r| r.template_version == Some(version)) else {
        return act(Action::StartRefresh { version });
    };
    match refresh.status {
        RefreshStatus::Going => follow(refresh, record, now),
        RefreshStatus::Successful => act(Action::MarkReplaced),
        RefreshStatus::Stopping | RefreshStatus::RolledBack | RefreshStatus::Ended => {
            turn_back(Cause::Aws, ended(refresh))
        }
    }
}

/// Back: the refresh turns if it can; otherwise another one, to the version before.
pub(super) fn back(fleet: &Fleet, record: &DeployRecord, version: u64, now: Timestamp) -> Option<Decision> {
    let latest = ours(fleet, record);
    if let Some(refresh) = latest {
        match refresh.status {
            RefreshStatus::Going if refresh.template_version != Some(version) => {
                return Some(act(Action::TurnRefresh));
            }
            RefreshStatus::Going | RefreshStatus::Stopping => return Some(follow(refresh, record, now)),
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

/// An instance after the other may take its boot time, so the limit grows with the fleet. The way back has as much again.
fn follow(refresh: &RefreshState, record: &DeployRecord, now: Timestamp) -> Decision {
    let capacity = record.progress.capacity;
    let batches = capacity.div_ceil(record.policy.surge.of(capacity)) + 1;
    let begins =
        |e: &&LogEntry| e.intent.starts_with(Action::START_REFRESH) || e.intent == Action::TURN_REFRESH;
    let begun = record.log.iter().rev().find(begins);
    let since = begun.map_or(record.started_at, |entry| entry.started_at);
    let until = after(since, record.policy.boot_timeout.saturating_mul(batches));
    if now >= until {
        let reason = format!(
            "instance refresh {} is at {} % after {BOOT_TIMEOUT} for each of {batches} batches",
            refresh.id, refresh.percent
        );
        return stuck(record, reason);
    }
    let what = format!("instance refresh {}: {} % done", refresh.id, refresh.percent);
    Decision::Wait(Wait { what, kind: Waiting::Instances, until, limit: BOOT_TIMEOUT })
}

fn stuck(record: &DeployRecord, reason: String) -> Decision {
    if record.direction == adf_types::Direction::Forward {
        return turn_back(Cause::Aws, reason);
    }
    let serving = "both releases serve; adf-ctl status shows them".to_owned();
    Decision::Finish(adf_types::Outcome::Failed { reason, serving })
}

fn ended(refresh: &RefreshState) -> String {
    let why = refresh.reason.as_deref().unwrap_or("AWS gives no reason");
    format!("instance refresh {} did not succeed, it is {}: {why}", refresh.id, refresh.word)
}
