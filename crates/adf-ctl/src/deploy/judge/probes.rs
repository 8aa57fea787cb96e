//! The agent's health probes: exact counts since the canary became healthy.

use std::time::Duration;

use adf_types::{Percent, Policy, ProbeCounts};

use super::counts::{Trials, above, bounds};
use super::{CONFIDENCE, FALSE_ALARMS, Finding};

/// With no tolerance one failed probe fails the canary: it was healthy before, and nobody but the agent asks.
pub(super) fn finding(probes: ProbeCounts, policy: &Policy, observed: Duration) -> Finding {
    let tolerated = policy.judging.tolerated_probe_failures;
    let trials = Trials { all: probes.passed + probes.failed, failed: probes.failed };
    if fails(trials, tolerated) {
        return Finding::Fails(told(trials, tolerated));
    }
    if probes.passed < policy.min_probes.max(1) {
        let seconds = observed.as_secs();
        return Finding::Lacks(format!(
            "{} probes in {seconds} s, {} wanted",
            probes.passed, policy.min_probes
        ));
    }
    if trials.rate() > tolerated.share() {
        return Finding::Lacks(told(trials, tolerated));
    }
    Finding::Passes(format!(
        "{} of {} probes failed in {} s, no restart, target healthy; a failure rate up to {:.1} % could have \
         been missed (95 % confidence)",
        trials.failed,
        trials.all,
        observed.as_secs(),
        highest(trials) * 100.0
    ))
}

fn fails(trials: Trials, tolerated: Percent) -> bool {
    if tolerated == Percent::ZERO {
        return trials.failed > 0;
    }
    above(trials, tolerated.share()) >= -FALSE_ALARMS.ln()
}

fn told(trials: Trials, tolerated: Percent) -> String {
    let told = format!("{} of {} health probes failed", trials.failed, trials.all);
    if tolerated == Percent::ZERO { told } else { format!("{told}, {tolerated} are tolerated") }
}

/// "Rule of three" without failures: then nothing but the number of probes can have ended the judgement, and after n
/// of them the rate is below 3/n with 95 % confidence.
fn highest(trials: Trials) -> f64 {
    if trials.failed > 0 {
        return bounds(trials, 1.0 - CONFIDENCE).1;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of a deploy are far below 2^52")]
    let all = trials.all as f64;
    (3.0 / all).min(1.0)
}
