//! The verdict on a canary, and what counts as failed: pure.
//!
//! Hard facts fail at once. A pass needs the whole bake time and enough probes without a single failure.
//! Too little seen by the end is inconclusive, which is never taken for a pass.

use std::time::Duration;

use adf_types::{InstanceState, Policy, Receipt, Verdict};
use jiff::Timestamp;

use super::fleet::{Canary, failure};
use crate::aws::{MachineState, TargetState};

/// How much longer than the bake time the canary may take to answer enough probes. The agent probes about
/// once a second, so this is thrice the default of 20 probes.
pub const JUDGE_SLACK: Duration = Duration::from_mins(1);

/// What the limit of the judgement is called.
pub const JUDGE_LIMIT: &str = "deploy.bake and a minute";

/// An instance whose agent could not write; its console says why.
pub const NO_RECEIPT: &str = "no receipt yet";

/// The verdict `observed` into the judgement, or `None` while there is more to see.
pub fn verdict(canary: &Canary, policy: &Policy, observed: Duration) -> Option<Verdict> {
    let receipt = canary.receipt.as_ref();
    if let Some(reason) = hard_fact(canary) {
        return Some(Verdict::Fail { reason });
    }
    let probes = receipt.map(|r| r.probes).unwrap_or_default();
    if probes.failed > 0 {
        let all = probes.failed + probes.passed;
        return Some(Verdict::Fail { reason: format!("{} of {all} health probes failed", probes.failed) });
    }
    if observed >= policy.bake && probes.passed >= policy.min_probes && probes.passed > 0 {
        return Some(Verdict::Pass { evidence: evidence(probes.passed, observed) });
    }
    (observed >= policy.bake + JUDGE_SLACK).then(|| Verdict::Inconclusive {
        reason: format!(
            "{} probes in {} s, {} wanted: too little was seen to let it pass",
            probes.passed,
            observed.as_secs(),
            policy.min_probes
        ),
    })
}

/// "Rule of three": after n successes and no failure, the failure rate is below 3/n with 95 % confidence.
fn evidence(passed: u64, observed: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a percentage for people; counts are far below 2^52")]
    let missed = (300.0 / passed as f64).min(100.0);
    format!(
        "0 of {passed} probes failed in {} s, no restart, target healthy; a failure rate up to {missed:.1} % \
         could have been missed (95 % confidence)",
        observed.as_secs()
    )
}

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

/// The time between two moments; none if the second is earlier.
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}
