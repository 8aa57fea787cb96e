//! The verdict on a canary, and what counts as failed: pure.
//!
//! | word | file | what |
//! | --- | --- | --- |
//! | hard fact | [`facts`] | a container that exited, a target that is unhealthy: fails at once |
//! | finding | [`Finding`] | what one kind of evidence comes to so far |
//! | probes | [`probes`] | the agent's health probes |
//! | traffic | [`traffic`] | users' requests and their 5xx, beside the fleet's of the same time |
//! | alarms | [`alarms`] | CloudWatch alarms that the operators named |
//! | evidence | [`Evidence`] | what CloudWatch was seen to say; `deploy::lookout` looks |
//! | counts | [`counts`] | the statistics: when counts are enough to say something |
//!
//! The rule: one finding that fails is a fail, at any time. A pass takes the whole bake time and every finding to
//! pass. What still lacks something at the limit is inconclusive, which is never taken for a pass. docs/judge.md says
//! the same to operators, with a table that `tests/` computes. To add a kind of evidence: a file here that comes to a
//! [`Finding`], and a line in [`findings`].

pub mod alarms;
pub mod counts;
mod facts;
mod probes;
pub mod traffic;

use std::time::Duration;

use adf_types::{Policy, Verdict};
use jiff::Timestamp;

pub use facts::{NO_RECEIPT, gave_up, hard_fact, ill, leaves, rejected, stands};

use self::alarms::AlarmLooks;
use self::traffic::Traffic;
use super::fleet::Canary;

/// How often a healthy canary may be failed by its counts: once in a hundred, however often they are looked at.
pub const FALSE_ALARMS: f64 = 0.01;

/// How certain it is that no regression larger than what is printed was missed.
pub const CONFIDENCE: f64 = 0.95;

/// How much longer than the bake time the canary may take to answer enough probes. The agent probes about
/// once a second, so this is thrice the default of 20 probes.
const SLACK: Duration = Duration::from_mins(1);

/// The same where CloudWatch has a say. Its minutes are seen up to two minutes after they began, and so leave two
/// whole ones for a canary whose requests were too few at first, or for an alarm that flaps.
const CLOUDWATCH_SLACK: Duration = Duration::from_mins(4);

/// What CloudWatch was seen to say since the step began.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// `None` until there was a first answer.
    pub traffic: Option<Traffic>,
    pub alarms: AlarmLooks,
}

/// What one kind of evidence comes to so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Whatever else is seen. Says what was found.
    Fails(String),
    /// Nothing is against a pass. Says what was seen.
    Passes(String),
    /// Not enough was seen to say either. Says what lacks.
    Lacks(String),
}

/// The verdict `observed` into the judgement, or `None` while there is more to see.
pub fn verdict(canary: &Canary, evidence: &Evidence, policy: &Policy, observed: Duration) -> Option<Verdict> {
    if let Some(reason) = hard_fact(canary) {
        return Some(Verdict::Fail { reason });
    }
    let (mut passed, mut lacking) = (Vec::new(), Vec::new());
    for finding in findings(canary, evidence, policy, observed) {
        match finding {
            Finding::Fails(reason) => return Some(Verdict::Fail { reason }),
            Finding::Passes(seen) => passed.push(seen),
            Finding::Lacks(what) => lacking.push(what),
        }
    }
    if lacking.is_empty() && observed >= policy.bake {
        return Some(Verdict::Pass { evidence: passed.join("; ") });
    }
    let (limit, _) = limit(policy);
    (observed >= limit).then(|| Verdict::Inconclusive {
        reason: format!("{}: too little was seen to let it pass", lacking.join("; ")),
    })
}

/// What the evidence still lacks for a pass, for the line that waits.
pub fn lacks(canary: &Canary, evidence: &Evidence, policy: &Policy, observed: Duration) -> Vec<String> {
    let lack = |finding| if let Finding::Lacks(what) = finding { Some(what) } else { None };
    findings(canary, evidence, policy, observed).into_iter().filter_map(lack).collect()
}

fn findings(canary: &Canary, evidence: &Evidence, policy: &Policy, observed: Duration) -> Vec<Finding> {
    let judging = &policy.judging;
    let probes = canary.receipt.as_ref().map(|r| r.probes).unwrap_or_default();
    let mut all = vec![probes::finding(probes, policy, observed)];
    if judging.canary_target_group.is_some() {
        all.push(traffic::finding(evidence.traffic.as_ref(), judging));
    }
    all.extend(judging.alarms.iter().map(|alarm| evidence.alarms.finding(alarm)));
    all
}

/// How long a judgement may take, and what that limit is called.
pub fn limit(policy: &Policy) -> (Duration, &'static str) {
    let judging = &policy.judging;
    if judging.canary_target_group.is_none() && judging.alarms.is_empty() {
        (policy.bake + SLACK, "deploy.bake and a minute")
    } else {
        (policy.bake + CLOUDWATCH_SLACK, "deploy.bake and 4 minutes")
    }
}

/// A share for people: `0.43 %`, `2.1 %`.
fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 1.0 { format!("{percent:.2} %") } else { format!("{percent:.1} %") }
}

/// The time between two moments; none if the second is earlier.
pub fn between(from: Timestamp, to: Timestamp) -> Duration {
    to.duration_since(from).try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests;
