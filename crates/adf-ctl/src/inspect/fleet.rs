//! One row per instance: what the group, the load balancer and the instance itself say of it.

use std::collections::{BTreeMap, BTreeSet};

use adf_types::{ConfigHash, InstanceId, InstanceState, Receipt, ReleaseName};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::aws::{Lifecycle, MemberState, TargetState};
use crate::printer::table;

/// Agents renew their receipt every minute; one that is three minutes old belongs to an agent that has lost
/// its way to DynamoDB, or its life.
pub(super) const FRESH: SignedDuration = SignedDuration::from_mins(3);

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub instance: InstanceId,
    /// The group's word; absent for an instance outside the group, such as a canary.
    pub lifecycle: Option<&'static str>,
    /// The load balancer's word; absent for an instance that is not registered.
    pub target: Option<String>,
    pub release: Option<ReleaseName>,
    /// `serving`, or the stage it is in, or why it is not; or that nothing was heard of it lately.
    pub state: Option<String>,
    /// Whether its receipt is too old to say what is so now.
    pub stale: bool,
    pub image: Option<String>,
    pub config_hash: Option<ConfigHash>,
    pub boot_seconds: Option<f64>,
    pub updated_at: Option<Timestamp>,
}

/// Whether a receipt says nothing about now any more. An agent that serves renews its receipt; one that boots writes
/// when a stage begins, and one that gave up has said its last word.
pub(super) fn is_stale(receipt: &Receipt, now: Timestamp) -> bool {
    use InstanceState as S;
    let renewed = matches!(receipt.state, S::Serving | S::Unhealthy { .. } | S::Draining);
    renewed && now.duration_since(receipt.updated_at) > FRESH
}

/// Joins the sources. An instance that only its receipt knows, such as a canary of an app without a load
/// balancer, is listed while that receipt is fresh and not its last: instances that are gone leave theirs.
pub fn rows(
    members: &[MemberState],
    targets: &BTreeMap<InstanceId, TargetState>,
    receipts: &[Receipt],
    now: Timestamp,
) -> Vec<Row> {
    let stopped = |r: &Receipt| matches!(r.state, InstanceState::Stopped);
    let live = receipts.iter().filter(|r| !stopped(r) && now.duration_since(r.updated_at) <= FRESH);
    let ids: BTreeSet<&InstanceId> =
        members.iter().map(|m| &m.id).chain(targets.keys()).chain(live.map(|r| &r.instance)).collect();
    let row = |id: &InstanceId| {
        let member = members.iter().find(|m| m.id == *id);
        let receipt = receipts.iter().find(|r| r.instance == *id);
        Row {
            instance: id.clone(),
            lifecycle: member.map(|m| lifecycle(m.lifecycle)),
            target: targets.get(id).map(target),
            release: receipt.map(|r| r.release.clone()),
            state: receipt.map(|r| state_now(r, now)),
            stale: receipt.is_some_and(|r| is_stale(r, now)),
            image: receipt.and_then(|r| r.image_id.clone()),
            config_hash: receipt.and_then(|r| r.config_hash.clone()),
            boot_seconds: receipt.and_then(Receipt::boot_seconds),
            updated_at: receipt.map(|r| r.updated_at),
        }
    };
    ids.into_iter().map(row).collect()
}

/// The rows as a table for a terminal.
pub(super) fn fleet_table(rows: &[Row]) -> String {
    let dash = || "-".to_owned();
    let cells = |row: &Row| {
        [
            row.instance.to_string(),
            row.lifecycle.map_or_else(dash, str::to_owned),
            row.target.clone().unwrap_or_else(dash),
            row.release.as_ref().map_or_else(dash, ToString::to_string),
            row.state.clone().unwrap_or_else(|| "no receipt".to_owned()),
            row.image.as_deref().map_or_else(dash, short_image),
            row.config_hash.as_ref().map_or_else(dash, |h| h.short().to_owned()),
            row.boot_seconds.map_or_else(dash, |s| format!("{s:.1} s")),
        ]
    };
    let header = ["INSTANCE", "GROUP", "TARGET", "RELEASE", "STATE", "IMAGE", "CONFIG", "BOOT"];
    table(header, rows.iter().map(cells))
}

/// The first 12 digits of an image id, as `docker images` shows it.
pub(super) fn short_image(id: &str) -> String {
    id.strip_prefix("sha256:").unwrap_or(id).chars().take(12).collect()
}

fn lifecycle(state: Lifecycle) -> &'static str {
    match state {
        Lifecycle::Pending => "pending",
        Lifecycle::InService => "in service",
        Lifecycle::EnteringStandby => "entering standby",
        Lifecycle::Standby => "standby",
        Lifecycle::Leaving => "leaving",
        Lifecycle::Other => "other",
    }
}

fn target(state: &TargetState) -> String {
    match state {
        TargetState::Initial => "initial".to_owned(),
        TargetState::Healthy => "healthy".to_owned(),
        TargetState::Unhealthy { reason } => format!("unhealthy: {reason}"),
        TargetState::Draining => "draining".to_owned(),
        TargetState::Unused { reason } => format!("unused: {reason}"),
    }
}

/// The state, as far as a receipt of this age tells it.
fn state_now(receipt: &Receipt, now: Timestamp) -> String {
    let said = state(&receipt.state);
    let age = now.duration_since(receipt.updated_at);
    if is_stale(receipt, now) {
        return format!("stale, last heard {} ago ({said})", ago(age));
    }
    let boots = matches!(receipt.state, InstanceState::Booting { .. });
    if boots && age > FRESH { format!("{said}, for {}", ago(age)) } else { said }
}

/// An age as people say it: `40 s`, `4 min`, `3 h`, `2 days`.
pub(super) fn ago(age: SignedDuration) -> String {
    match age.as_secs() {
        s @ ..120 => format!("{} s", s.max(0)),
        s @ ..7_200 => format!("{} min", s / 60),
        s @ ..172_800 => format!("{} h", s / 3_600),
        s => format!("{} days", s / 86_400),
    }
}

pub(super) fn state(state: &InstanceState) -> String {
    match state {
        InstanceState::Booting { stage } => format!("booting: {stage}"),
        InstanceState::Serving => "serving".to_owned(),
        InstanceState::Unhealthy { reason } => format!("unhealthy: {reason}"),
        InstanceState::Failed { stage, reason, .. } => format!("failed in {stage}: {reason}"),
        InstanceState::Draining => "draining".to_owned(),
        InstanceState::Stopped => "stopped".to_owned(),
    }
}

#[cfg(test)]
mod tests;
