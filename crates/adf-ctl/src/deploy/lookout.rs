//! Looking at CloudWatch while a canary is judged, while an instance refresh runs, and while the new fleet is watched.
//!
//! Neighbours: `observe` looks at the fleet each turn; this looks every 15 s only and remembers what it saw, because
//! CloudWatch's data is a minute old anyway. `judge` says what it means.
//!
//! The rule: CloudWatch is never in the way. What it does not answer is evidence that lacks: a canary does not pass
//! without it, and a way back does not wait for it.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_types::{CanaryTraffic, DeployRecord, Direction, Judging, Step, Strategy};
use jiff::Timestamp;
use tokio::time::Instant;

use super::error::DeployError;
use super::judge::Evidence;
use super::judge::alarms::{AlarmLooks, Seen};
use super::judge::counts::Trials;
use super::judge::traffic::{Minutes, Traffic};
use super::observe::{CanaryGround, Ground};
use crate::aws::{AlarmState, RequestMinutes};
use crate::context::Context;

/// Four looks a minute: two calls, of which an account has 9 (`DescribeAlarms`) and 50 (`GetMetricData`) a second, see
/// "CloudWatch service quotas".
const LOOK: Duration = Duration::from_secs(15);

/// How far from the operator's clock AWS's may be ahead, for the end of what is asked for.
const AHEAD: Duration = Duration::from_mins(2);

/// What was seen since the present step began. A new driver begins with nothing.
#[derive(Debug, Default)]
pub struct Lookout {
    step: Option<Step>,
    looked_at: Option<Instant>,
    /// The newest minute that the load balancer's data had at the look before.
    seen: Option<Timestamp>,
    evidence: Evidence,
}

impl Lookout {
    /// What is known now; asks CloudWatch if it is time to.
    pub async fn look(
        &mut self,
        context: &Context,
        ground: &Ground,
        record: &DeployRecord,
        now: Timestamp,
    ) -> Evidence {
        let step = has_a_say(record).then_some(record.step);
        if self.step != step {
            *self = Self { step, ..Self::default() };
        }
        let due = self.looked_at.is_none_or(|at| at.elapsed() >= LOOK);
        if step.is_some() && due {
            self.looked_at = Some(Instant::now());
            let Evidence { alarms: looks, traffic: requests } = &mut self.evidence;
            tokio::join!(
                alarms(context, &record.policy.judging.alarms, looks),
                traffic(context, ground, record, now, &mut self.seen, requests),
            );
        }
        self.evidence.clone()
    }
}

fn has_a_say(record: &DeployRecord) -> bool {
    let asked = match record.step {
        Step::Judge | Step::Watch => true,
        Step::Replace => record.policy.strategy == Strategy::Refresh,
        _ => false,
    };
    record.direction == Direction::Forward && asked
}

async fn alarms(context: &Context, names: &[String], looks: &mut AlarmLooks) {
    if names.is_empty() {
        return;
    }
    let answer = context.aws.alarms(names).await;
    for name in names {
        looks.add(name, seen(&answer, name));
    }
}

fn seen<E: std::fmt::Display>(answer: &Result<BTreeMap<String, AlarmState>, E>, name: &str) -> Seen {
    match answer.as_ref().map(|alarms| alarms.get(name)) {
        Ok(Some(AlarmState::Quiet)) => Seen::Quiet,
        Ok(Some(AlarmState::Firing { reason })) => Seen::Firing(reason.clone()),
        Ok(Some(AlarmState::NoData)) => Seen::NoData("INSUFFICIENT_DATA".to_owned()),
        Ok(None) => Seen::NoData("there is no alarm of this name".to_owned()),
        Err(error) => Seen::NoData(error.to_string()),
    }
}

async fn traffic(
    context: &Context,
    ground: &Ground,
    record: &DeployRecord,
    now: Timestamp,
    seen: &mut Option<Timestamp>,
    evidence: &mut Option<Traffic>,
) {
    let (Some(canary), Some(CanaryTraffic::Since(since))) = (&ground.canary, record.progress.canary_traffic)
    else {
        return;
    };
    // The watch has no baseline any more: every server runs the new release.
    if record.step != Step::Judge {
        return;
    }
    match counts(context, canary, since, now).await {
        Ok([ours, fleets]) => {
            *evidence = Some(Traffic::of(&ours, &fleets, since, *seen, now));
            *seen = fleets.last_key_value().map(|(at, _)| *at);
        }
        // What was counted before stays; without an answer there is no pass.
        Err(error) => evidence.get_or_insert_default().stopped = Some(error.to_string()),
    }
}

async fn counts(
    context: &Context,
    canary: &CanaryGround,
    since: Timestamp,
    now: Timestamp,
) -> Result<[Minutes; 2], DeployError> {
    let from = Timestamp::from_second(since.as_second().div_euclid(60) * 60).unwrap_or(since);
    let to = now.saturating_add(AHEAD).unwrap_or(now);
    let counts = context.aws.request_counts([&canary.counted, &canary.fleet], from, to).await?;
    Ok(counts.map(minutes))
}

/// A 5xx whose request is not reported yet is a request.
fn minutes(counts: RequestMinutes) -> Minutes {
    let trials = |(at, c): (Timestamp, crate::aws::RequestCounts)| {
        (at, Trials { all: c.requests.max(c.errors), failed: c.errors })
    };
    counts.into_iter().map(trials).collect()
}

/// What can be refused before anything is touched: an alarm that is not there or fires already would turn back every
/// deploy, and a canary target group that no rule shares requests with would never see one.
pub async fn ready(context: &Context, ground: &Ground, judging: &Judging) -> Result<(), DeployError> {
    alarms_are_quiet(context, &judging.alarms).await?;
    let Some(name) = &judging.canary_target_group else { return Ok(()) };
    let canary = ground.canary.as_ref().ok_or_else(|| DeployError::no_target_group(name))?;
    rules_are_shared(context, ground, canary, name).await
}

async fn alarms_are_quiet(context: &Context, names: &[String]) -> Result<(), DeployError> {
    if names.is_empty() {
        return Ok(());
    }
    let answer = context.aws.alarms(names).await?;
    for name in names {
        match answer.get(name) {
            Some(AlarmState::Quiet | AlarmState::NoData) => {}
            Some(AlarmState::Firing { reason }) => {
                return Err(DeployError::refused(
                    format!("alarm {name} fires already, before anything was deployed: {reason}"),
                    format!(
                        "see what it is about: aws cloudwatch describe-alarm-history --alarm-name {name}; for the \
                         release that is to end it: adf-ctl deploy --no-alarms"
                    ),
                ));
            }
            None => {
                return Err(DeployError::refused(
                    format!("there is no alarm {name} in this account and region"),
                    "correct alarms in [deploy] of adf.toml; see them with: aws cloudwatch describe-alarms",
                ));
            }
        }
    }
    Ok(())
}

async fn rules_are_shared(
    context: &Context,
    ground: &Ground,
    canary: &CanaryGround,
    name: &str,
) -> Result<(), DeployError> {
    let fleet = ground.target_group_arn.as_deref().unwrap_or_default();
    let rules = context.aws.shared_rules(&canary.balancer_arn, fleet, &canary.target_group_arn).await?;
    let see = "docs/judge.md has the commands that set it up; without it, leave canary_target_group out";
    if rules.is_empty() {
        return Err(DeployError::refused(
            format!("no listener rule forwards to both the fleet's target group and {name}"),
            see,
        ));
    }
    if let Some(rule) = rules.iter().find(|rule| rule.canary_weight > 0) {
        return Err(DeployError::refused(
            format!(
                "{} sends requests to {name} (weight {}), in which no instance is: they fail",
                rule.arn(),
                rule.canary_weight
            ),
            format!("give {name} weight 0 there; a deploy sets the weight while there is a canary. {see}"),
        ));
    }
    if let Some(rule) = rules.iter().find(|rule| rule.fleet_weight == 0) {
        return Err(DeployError::refused(
            format!("{} gives the fleet's target group weight 0, so nobody reaches it", rule.arn()),
            format!("give it weight 100 there. {see}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_quiet_alarm_is_no_data_with_its_reason() {
        let answer: Result<_, String> = Ok(BTreeMap::from([
            ("a".to_owned(), AlarmState::Quiet),
            ("b".to_owned(), AlarmState::NoData),
            ("c".to_owned(), AlarmState::Firing { reason: "Threshold Crossed".to_owned() }),
        ]));
        assert_eq!(seen(&answer, "a"), Seen::Quiet);
        assert_eq!(seen(&answer, "b"), Seen::NoData("INSUFFICIENT_DATA".to_owned()));
        assert_eq!(seen(&answer, "c"), Seen::Firing("Threshold Crossed".to_owned()));
        assert_eq!(seen(&answer, "d"), Seen::NoData("there is no alarm of this name".to_owned()));
        let refused = Err("AccessDenied".to_owned());
        assert_eq!(seen(&refused, "a"), Seen::NoData("AccessDenied".to_owned()));
    }

    #[test]
    fn an_error_without_its_request_is_a_request() {
        let at = Timestamp::UNIX_EPOCH;
        let counts = BTreeMap::from([(at, crate::aws::RequestCounts { requests: 0, errors: 2 })]);
        assert_eq!(minutes(counts), BTreeMap::from([(at, Trials { all: 2, failed: 2 })]));
    }
}
