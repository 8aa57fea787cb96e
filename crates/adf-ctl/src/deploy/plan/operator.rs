//! What operators ask of a deploy while it runs: to go back, to stand still, to go on, to wait no longer.
//!
//! Neighbours: `forward` asks here before a step is planned, and again with what the step decided. The rule:
//! a request never overrides what speaks against the release; a pause holds back everything but the way back.

use adf_types::{Cause, DeployRecord, OperatorRequest, Step, Verdict, Waiting};
use jiff::Timestamp;

use super::wait::{Wait, after};
use super::{Action, Decision, act, turn_back};
use crate::deploy::fleet::Fleet;
use crate::deploy::judge::hard_fact;

/// The limit of a pause, as the operator knows it.
const PAUSE_LIMIT: &str = "adf-ctl pause --for";

/// What is done at once, whatever the step.
pub(super) fn asked(fleet: &Fleet, record: &DeployRecord) -> Option<Decision> {
    // Cleanup is the point of no return: the old instances are being terminated.
    if record.step >= Step::Cleanup {
        return None;
    }
    let request = fleet.requested.as_ref();
    if let Some(OperatorRequest::Rollback { by, reason }) = request {
        return Some(turn_back(Cause::Operator, format!("{by} asked for it: {reason}")));
    }
    if record.progress.paused_at.is_some() && !matches!(request, Some(OperatorRequest::Pause { .. })) {
        return Some(act(Action::EndPause));
    }
    let Some(OperatorRequest::Promote { by, step: Step::Judge }) = request else { return None };
    promote(fleet, record, by)
}

/// The canary passes on an operator's word, if it is there and nothing speaks against it.
fn promote(fleet: &Fleet, record: &DeployRecord, by: &str) -> Option<Decision> {
    let canary = fleet.canary.as_ref().filter(|_| record.step == Step::Judge)?;
    if record.progress.verdict.is_some() || hard_fact(canary).is_some() {
        return None;
    }
    let probes = canary.receipt.as_ref().map(|r| r.probes).unwrap_or_default();
    let seen = probes.passed + probes.failed;
    let evidence =
        format!("{by} promoted it before the bake was over: {} of {seen} probes failed", probes.failed);
    Some(act(Action::RecordVerdict(Verdict::Pass { evidence })))
}

/// Whether an operator said that the watch may end.
pub(super) fn watch_is_over(fleet: &Fleet) -> bool {
    matches!(&fleet.requested, Some(OperatorRequest::Promote { step: Step::Watch, .. }))
}

/// What a pause leaves of a decision.
pub(super) fn held(decision: Decision, fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    let Some(OperatorRequest::Pause { by, limit }) = &fleet.requested else { return decision };
    let speaks_against = matches!(
        decision,
        Decision::Act(Action::TurnBack { .. } | Action::RecordVerdict(Verdict::Fail { .. }))
    );
    if record.step >= Step::Cleanup || speaks_against {
        return decision;
    }
    let Some(since) = record.progress.paused_at else { return act(Action::Pause { by: by.clone() }) };
    let until = after(since, *limit);
    if now >= until {
        return turn_back(
            Cause::Operator,
            format!("{by} paused it, and nobody let it go on within {PAUSE_LIMIT} ({limit:?})"),
        );
    }
    let what = format!("{by} to let it go on: adf-ctl resume");
    Decision::Wait(Wait { what, kind: Waiting::Operator, until, limit: PAUSE_LIMIT })
}
