//! Judge: watch the canary until the facts speak, the bake time is over, or the limit is reached.

use adf_types::{Cause, DeployRecord, Step, Verdict, Waiting};
use jiff::Timestamp;

use super::wait::{Wait, after, last_act};
use super::{Action, Decision, act, turn_back};
use crate::deploy::fleet::Fleet;
use crate::deploy::judge::{JUDGE_LIMIT, JUDGE_SLACK, between, verdict};

pub(super) fn plan(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    match &record.progress.verdict {
        Some(Verdict::Pass { .. }) => return act(Action::Enter(Step::Promote)),
        Some(Verdict::Fail { reason }) => {
            return turn_back(Cause::Release, format!("canary failed: {reason}"));
        }
        Some(Verdict::Inconclusive { reason }) => {
            return turn_back(Cause::Evidence, format!("canary inconclusive: {reason}"));
        }
        None => {}
    }
    let Some(canary) = &fleet.canary else {
        return turn_back(Cause::Aws, "the canary is not on record any more");
    };
    let begun = last_act(record);
    if let Some(verdict) = verdict(canary, &record.policy, between(begun, now)) {
        return act(Action::RecordVerdict(verdict));
    }
    let seen = canary.receipt.as_ref().map(|r| r.probes.passed).unwrap_or_default();
    let what = format!(
        "the canary's verdict: {seen} of {} probes, {} of {} s",
        record.policy.min_probes,
        between(begun, now).as_secs(),
        record.policy.bake.as_secs()
    );
    let until = after(begun, record.policy.bake + JUDGE_SLACK);
    Decision::Wait(Wait { what, kind: Waiting::Configured, until, limit: JUDGE_LIMIT })
}
