//! Whose logs are of interest: pure.

use std::collections::{BTreeMap, BTreeSet};

use adf_types::{DeployRecord, InstanceId, InstanceState, Outcome, Receipt};
use jiff::Timestamp;

use crate::aws::{Lifecycle, MemberState, TargetState};
use crate::inspect::fleet::is_stale;

/// An instance, and why its log is of interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) instance: InstanceId,
    pub(super) why: String,
}

pub(super) fn named(ids: &[InstanceId]) -> Vec<Chosen> {
    ids.iter().map(|id| Chosen { instance: id.clone(), why: "asked for".to_owned() }).collect()
}

/// First what the last deploy started that failed or has not ended, then members that are not well; each once.
pub(super) fn of_interest(
    deploys: &[DeployRecord],
    members: &[MemberState],
    targets: &BTreeMap<InstanceId, TargetState>,
    receipts: &[Receipt],
    now: Timestamp,
) -> Vec<Chosen> {
    let troubled = deploys.iter().position(is_troubled);
    let started = troubled.map(|at| started(&deploys[at], at == 0, receipts)).unwrap_or_default();
    let receipt = |id: &InstanceId| receipts.iter().find(|receipt| receipt.instance == *id);
    let ill = members.iter().filter(|member| member.lifecycle != Lifecycle::Leaving);
    let ill = ill.filter_map(|member| {
        let why = not_well(member, targets.get(&member.id), receipt(&member.id), now)?;
        Some(Chosen { instance: member.id.clone(), why })
    });
    let mut seen = BTreeSet::new();
    started.into_iter().chain(ill).filter(|chosen| seen.insert(chosen.instance.clone())).collect()
}

fn is_troubled(deploy: &DeployRecord) -> bool {
    !matches!(deploy.outcome, Some(Outcome::Succeeded))
}

/// Those of its instances that are not well. Its canary, too, when it never wrote a receipt: its console may tell. That of
/// an older deploy EC2 has forgotten.
fn started(deploy: &DeployRecord, newest: bool, receipts: &[Receipt]) -> Vec<Chosen> {
    let stands = if deploy.is_open() { "is open" } else { "failed" };
    let why = || format!("started by deploy {}, which {stands}", deploy.id);
    let own = receipts.iter().filter(|receipt| receipt.deploy.as_ref() == Some(&deploy.id));
    let ill = own.filter(|receipt| {
        matches!(receipt.state, InstanceState::Failed { .. } | InstanceState::Unhealthy { .. })
    });
    let mut chosen: Vec<Chosen> =
        ill.map(|receipt| Chosen { instance: receipt.instance.clone(), why: why() }).collect();
    let silent = |id: &&InstanceId| newest && !receipts.iter().any(|receipt| receipt.instance == **id);
    let canary = deploy.progress.canary.as_ref().filter(silent);
    chosen.extend(canary.map(|id| Chosen { instance: id.clone(), why: why() }));
    chosen
}

/// What is wrong with a member, if something is. One that boots is not well yet, and nothing is wrong with it.
fn not_well(
    member: &MemberState,
    target: Option<&TargetState>,
    receipt: Option<&Receipt>,
    now: Timestamp,
) -> Option<String> {
    use InstanceState as S;
    if let Some(TargetState::Unhealthy { reason }) = target {
        return Some(format!("the load balancer: {reason}"));
    }
    let Some(receipt) = receipt else { return Some("a member without a receipt".to_owned()) };
    if is_stale(receipt, now) {
        return Some("a member that is silent".to_owned());
    }
    match &receipt.state {
        S::Failed { .. } | S::Unhealthy { .. } => Some("a member that is not well".to_owned()),
        S::Stopped if member.lifecycle == Lifecycle::InService => Some("in service and stopped".to_owned()),
        _ => None,
    }
}

/// Whether only its console can tell.
pub(super) fn is_silent(receipt: Option<&Receipt>, now: Timestamp) -> bool {
    receipt.is_none_or(|receipt| is_stale(receipt, now))
}
