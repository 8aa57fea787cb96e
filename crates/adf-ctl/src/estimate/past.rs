//! What the last deploys took, from their logs: pure.

use std::time::Duration;

use adf_types::{DeployRecord, Outcome, Policy, Step, Strategy};

use crate::deploy::judge::between;
use crate::deploy::plan::Action;
use crate::deploy::timings;

/// One deploy that went well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Past {
    /// From the canary's launch to healthy by its own receipt.
    pub canary_start: Option<Duration>,
    /// From there to healthy by the load balancer.
    pub canary_checks: Option<Duration>,
    /// What the deploy waited for the fleet's instances: from launch to healthy by receipt and by the load balancer, all
    /// batches together.
    pub fleet_start: Option<Duration>,
    /// Calls and polling, up to the moment when every server runs the release.
    pub own: Duration,
}

/// How many deploys count: enough for a median, few enough to forget what was changed since.
pub(super) const LOOKED_AT: usize = 5;

/// The newest of those that went well. How long a fleet takes depends on how it is replaced, so only deploys that did it
/// as `policy` has it tell that.
pub(super) fn past(deploys: &[DeployRecord], policy: &Policy) -> Vec<Past> {
    let well = deploys.iter().filter(|d| d.outcome == Some(Outcome::Succeeded) && !d.is_restart());
    well.take(LOOKED_AT).map(|record| of(record, policy)).collect()
}

fn of(record: &DeployRecord, policy: &Policy) -> Past {
    let way = |policy: &Policy| {
        let refreshes = policy.strategy == Strategy::Refresh;
        (policy.strategy, policy.surge, refreshes.then(|| policy.checkpoints.clone()))
    };
    let alike = way(&record.policy) == way(policy);
    let steps = timings::steps(record);
    let up_to_replace = steps.iter().filter(|s| Step::ALL[..=5].iter().any(|step| step.as_str() == s.step));
    let own = up_to_replace.map(|s| s.own).sum();
    let replace = steps.iter().find(|s| alike && s.step == Step::Replace.as_str());
    let judge = began(record, &Action::Enter(Step::Judge).intent());
    let register = record.progress.canary.clone().map(|id| Action::RegisterCanary(id).intent());
    let registered = register.and_then(|intent| began(record, &intent));
    let launched = began(record, &Action::LaunchCanary.intent());
    let span = |from: Option<_>, to: Option<_>| Some(between(from?, to?));
    Past {
        canary_start: span(launched, registered.or(judge)),
        canary_checks: span(registered, judge),
        fleet_start: replace.map(|s| seconds(s.waiting_for_instances)).filter(|took| !took.is_zero()),
        own: seconds(own),
    }
}

/// When the deploy last began to do something.
fn began(record: &DeployRecord, intent: &str) -> Option<jiff::Timestamp> {
    record.log.iter().rev().find(|entry| entry.intent == intent).map(|entry| entry.started_at)
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

/// The middle one; of an even number the later of the two in the middle, because an estimate errs on the long side.
pub(super) fn median(mut times: Vec<Duration>) -> Option<Duration> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}
