//! Hard facts about an instance: what fails it whatever was counted; and where it stands, in words.

use adf_types::{InstanceState, Receipt};

use crate::aws::{MachineState, TargetState};
use crate::deploy::fleet::{Canary, failure};

/// An instance whose agent could not write; its console says why.
pub const NO_RECEIPT: &str = "no receipt yet";

/// What fails a canary whatever else was seen.
pub fn hard_fact(canary: &Canary) -> Option<String> {
    gave_up(canary)
        .or_else(|| ill(canary.receipt.as_ref()).map(|what| format!("{} {what}", canary.id)))
        .or_else(|| rejected(canary.target.as_ref()).map(|what| format!("{} {what}", canary.id)))
}

/// What fails a canary even before it was ever healthy.
pub fn gave_up(canary: &Canary) -> Option<String> {
    if let Some(failed) = canary.receipt.as_ref().and_then(failure) {
        return Some(failed);
    }
    (canary.machine == Some(MachineState::Gone))
        .then(|| format!("{} was terminated by somebody else", canary.id))
}

/// A receipt that says that a healthy instance is healthy no more.
pub fn ill(receipt: Option<&Receipt>) -> Option<String> {
    let receipt = receipt?;
    if let Some(failed) = failure(receipt) {
        return Some(failed);
    }
    if let InstanceState::Unhealthy { reason } = &receipt.state {
        return Some(format!("became unhealthy: {reason}"));
    }
    (receipt.restarts > 0).then(|| format!("restarted its container {} times", receipt.restarts))
}

/// A load balancer that took an instance out.
pub fn rejected(target: Option<&TargetState>) -> Option<String> {
    let Some(TargetState::Unhealthy { reason }) = target else { return None };
    Some(format!("is unhealthy for the load balancer: {reason}"))
}

/// Whether its agent has been told to stop and says so: a notice of EC2, a stop of the machine.
pub fn leaves(receipt: &Receipt) -> bool {
    matches!(receipt.state, InstanceState::Draining | InstanceState::Stopped)
}

/// Where an instance stands, in a few words, for waits and for limits that were hit.
pub fn stands(receipt: Option<&Receipt>, target: Option<&TargetState>) -> String {
    let Some(receipt) = receipt else { return NO_RECEIPT.to_owned() };
    match (&receipt.state, target) {
        (InstanceState::Booting { stage }, _) => format!("stage {stage}"),
        (InstanceState::Unhealthy { reason }, _) => format!("unhealthy: {reason}"),
        (InstanceState::Failed { stage, reason, .. }, _) => format!("failed at stage {stage}: {reason}"),
        (InstanceState::Draining | InstanceState::Stopped, _) => "stopping".to_owned(),
        (InstanceState::Serving, None) => "healthy by its receipt, not registered".to_owned(),
        (InstanceState::Serving, Some(TargetState::Initial)) => {
            "healthy by its receipt, first check of the load balancer".to_owned()
        }
        (InstanceState::Serving, Some(TargetState::Healthy)) => "healthy".to_owned(),
        (InstanceState::Serving, Some(TargetState::Unhealthy { reason })) => {
            format!("healthy by its receipt, unhealthy for the load balancer: {reason}")
        }
        (InstanceState::Serving, Some(TargetState::Draining)) => "draining".to_owned(),
        (InstanceState::Serving, Some(TargetState::Unused { reason })) => {
            format!("healthy by its receipt, not checked by the load balancer: {reason}")
        }
    }
}
