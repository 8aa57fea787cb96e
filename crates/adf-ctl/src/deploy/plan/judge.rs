//! Judge: watch the canary until the facts speak, the bake time is over, or the limit is reached.

use adf_types::{Cause, DeployRecord, Step, Verdict, Waiting};
use jiff::Timestamp;

use super::wait::{Wait, after, last_act};
use super::{Action, Decision, act, turn_back};
use crate::deploy::fleet::Fleet;
use crate::deploy::judge::{between, lacks, limit, verdict};

pub(super) fn plan(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    match &record.progress.verdict {
        Some(Verdict::Pass { .. }) => return act(Action::Enter(Step::Promote)),
        Some(Verdict::Fail { reason }) => {
            return turn_back(Cause::Release, format!("canary failed: {reason}"));
        }
        Some(Verdict::Inconclusive { reason }) => {
            return turn_back(Cause::Evidence, format!("E207 canary inconclusive: {reason}"));
        }
        None => {}
    }
    let Some(canary) = &fleet.canary else {
        return turn_back(Cause::Aws, "the canary is not on record any more");
    };
    let (begun, policy) = (last_act(record), &record.policy);
    let observed = between(begun, now);
    if let Some(verdict) = verdict(canary, &fleet.evidence, policy, observed) {
        return act(Action::RecordVerdict(verdict));
    }
    let baked = format!("{} of {} s", observed.as_secs(), policy.bake.as_secs());
    let lacking = lacks(canary, &fleet.evidence, policy, observed);
    let what = [vec![baked], lacking].concat().join("; ");
    let (longest, limit) = limit(policy);
    let until = after(begun, longest);
    let what = format!("the canary's verdict: {what}");
    Decision::Wait(Wait { what, kind: Waiting::Configured, until, limit })
}
