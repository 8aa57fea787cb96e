//! Where the time of a deploy went, from its log: pure.
//!
//! What a step took, less what it waited for, is the controller's own time: calls, planning, polling.

use adf_types::{DeployRecord, LogEntry, Waiting};
use serde::Serialize;

use super::fleet::Fleet;
use super::judge::between;
use super::plan::TURN_BACK;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StepTime {
    /// The step's name, or `rollback` for the way back.
    pub step: String,
    pub seconds: f64,
    /// Instances booting and becoming healthy.
    pub waiting_for_instances: f64,
    /// Bake, watch, deregistration delay, and pauses.
    pub waiting_configured: f64,
    /// AWS changing an instance's state.
    pub waiting_for_aws: f64,
    /// The controller's own.
    pub own: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InstanceTime {
    pub instance: String,
    /// From the start of the agent to the end of the health stage.
    pub boot_seconds: Option<f64>,
}

/// One row for each step, in the order they were done.
pub fn steps(record: &DeployRecord) -> Vec<StepTime> {
    let mut rows: Vec<StepTime> = Vec::new();
    let mut back = false;
    for (index, entry) in record.log.iter().enumerate() {
        back |= entry.intent.starts_with(TURN_BACK);
        let name = if back { "rollback" } else { entry.step.as_str() };
        if rows.last().is_none_or(|row| row.step != name) {
            rows.push(empty(name));
        }
        let Some(row) = rows.last_mut() else { continue };
        // To the next line's start: what lies between two lines is the controller's own.
        let next = record.log.get(index + 1).map(|next| next.started_at);
        let end = next.or(entry.finished_at).unwrap_or(entry.started_at);
        add(row, entry, between(entry.started_at, end).as_secs_f64());
    }
    rows
}

fn add(row: &mut StepTime, entry: &LogEntry, seconds: f64) {
    row.seconds += seconds;
    match entry.waiting {
        Some(Waiting::Instances) => row.waiting_for_instances += seconds,
        Some(Waiting::Configured | Waiting::Operator) => row.waiting_configured += seconds,
        Some(Waiting::Aws) => row.waiting_for_aws += seconds,
        None => row.own += seconds,
    }
}

fn empty(step: &str) -> StepTime {
    StepTime {
        step: step.to_owned(),
        seconds: 0.0,
        waiting_for_instances: 0.0,
        waiting_configured: 0.0,
        waiting_for_aws: 0.0,
        own: 0.0,
    }
}

/// The boot time of every instance that serves at the end.
pub fn instances(fleet: &Fleet) -> Vec<InstanceTime> {
    let serving = fleet.members.iter().filter(|m| m.is(crate::aws::Lifecycle::InService));
    serving
        .map(|m| InstanceTime {
            instance: m.id.to_string(),
            boot_seconds: m.receipt.as_ref().and_then(adf_types::Receipt::boot_seconds),
        })
        .collect()
}
