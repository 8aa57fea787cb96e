//! Watch: the old instances stand by, so that a way back takes seconds; hard facts and alarms turn the deploy back.
//! An alarm without data does not: the canary had passed with data.

use adf_types::{Cause, DeployRecord, Step, Waiting};
use jiff::Timestamp;

use super::wait::{BOOT_TIMEOUT, Wait, after};
use super::{Action, Decision, act, healthy_new, is_first, operator, replace, turn_back};
use crate::aws::Lifecycle;
use crate::deploy::fleet::{Fleet, Member, failure};
use crate::deploy::judge::{ill, leaves, rejected};

pub(super) fn plan(fleet: &Fleet, record: &DeployRecord, now: Timestamp) -> Decision {
    let version = record.progress.template_version;
    if let Some(fact) = against(fleet, record, |_| true) {
        return turn_back(Cause::Release, format!("during the watch, {fact}"));
    }
    let since = record.progress.replaced_at.unwrap_or(now);
    let over = is_first(record) || operator::watch_is_over(fleet);
    let end = if over { since } else { after(since, record.policy.watch) };
    if now < end {
        let rest = if replace::stands_by(record) { "the old instances stand by" } else { "none stands by" };
        let what = format!("the watch to end; {rest}");
        return Decision::Wait(Wait { what, kind: Waiting::Configured, until: end, limit: "deploy.watch" });
    }
    let draining = fleet.old_ones(version).filter(|m| m.is(Lifecycle::EnteringStandby));
    if let Some(wait) = replace::settle(draining, fleet, record, now) {
        return wait;
    }
    let healthy = healthy_new(fleet, record);
    if healthy >= record.progress.capacity {
        return act(Action::Enter(Step::Cleanup));
    }
    let until = after(end, record.policy.boot_timeout);
    if now >= until {
        return turn_back(
            Cause::Release,
            format!(
                "{healthy} of {} instances are healthy at the end of the watch and {BOOT_TIMEOUT}",
                record.progress.capacity
            ),
        );
    }
    let what = format!("{} instances to be healthy: {healthy} are", record.progress.capacity);
    Decision::Wait(Wait { what, kind: Waiting::Instances, until, limit: BOOT_TIMEOUT })
}

/// The first thing that speaks against the release: its instances, those that replaced one and gave up, alarms. What the
/// load balancer rejects counts where `accepted` says that it had let it in before.
pub(super) fn against(
    fleet: &Fleet,
    record: &DeployRecord,
    accepted: impl Fn(&Member) -> bool,
) -> Option<String> {
    let facts = fleet.new_ones(record.progress.template_version).filter_map(|m| {
        let fact = ill(m.receipt.as_ref()).or_else(|| {
            // Its machine is being taken away, by Spot or by somebody: that is no fault of the release, and the group
            // starts a successor.
            let leaves = m.receipt.as_ref().is_some_and(leaves);
            rejected(m.target.as_ref()).filter(|_| accepted(m) && !leaves)
        })?;
        Some(format!("{} {fact}", m.id))
    });
    let replacements = fleet.gone.iter().filter(|r| r.deploy.as_ref() == Some(&record.id));
    let replacements = replacements.filter(|r| Some(&r.instance) != record.progress.canary.as_ref());
    let alarm = fleet.evidence.alarms.firing();
    facts.chain(replacements.filter_map(failure)).chain(alarm).next()
}
