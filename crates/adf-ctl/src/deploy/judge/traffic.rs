//! Users' requests to the canary, held against the fleet's of the same minutes.
//!
//! Decided exactly so, in this order:
//! 1. capital of the bet "it fails no more often than the fleet" at 100 or more: fails, at any time;
//! 2. the requests have stopped, or never came: lacks;
//! 3. fewer than `min_requests`: lacks;
//! 4. failures of the canary and none of the fleet: lacks, however few (the hole of Kayenta, spinnaker#5622);
//! 5. capital at 10 or more: lacks, because a canary on its way to fail is not let through by the clock;
//! 6. a regression of more than `max_missed` is not refuted: lacks;
//! 7. else passes, and says what it could have missed.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_types::Judging;
use jiff::Timestamp;

use super::counts::{Comparison, Period, Trials, bounds};
use super::{CONFIDENCE, FALSE_ALARMS, Finding, between, percent};

/// At this capital a canary is not passed yet: a healthy one gets there once in ten at most.
const SUSPECT: f64 = 10.0;

/// CloudWatch's minutes; the load balancer reports one when it has ended, if there were requests.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>
pub const MINUTE: Duration = Duration::from_mins(1);

/// A newest minute that began longer ago than this is the last one: it has ended a minute after it began, and is seen
/// within two more.
const STOPPED: Duration = Duration::from_mins(4);

/// What the load balancer counted, by the start of each minute.
pub type Minutes = BTreeMap<Timestamp, Trials>;

/// Requests since the canary had its share, as far as they count.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traffic {
    pub periods: Vec<Period>,
    /// Why there may be no more to come, if so.
    pub stopped: Option<String>,
}

impl Traffic {
    /// The minutes from that of `since` on, up to `seen`, the newest that an earlier look showed already. The nodes of a
    /// load balancer report one by one, and requests and 5xx are two reports: the second look has them all.
    pub fn of(
        canary: &Minutes,
        fleet: &Minutes,
        since: Timestamp,
        seen: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let first = since.as_second().div_euclid(60) * 60;
        let counts = |at: &Timestamp| at.as_second() >= first && seen.is_some_and(|seen| *at <= seen);
        let minutes: BTreeMap<Timestamp, Period> = canary
            .keys()
            .chain(fleet.keys())
            .filter(|at| counts(at))
            .map(|at| {
                let of = |minutes: &Minutes| minutes.get(at).copied().unwrap_or_default();
                (*at, Period { canary: of(canary), fleet: of(fleet) })
            })
            .collect();
        let stopped = stopped(&minutes, since, now);
        Self { periods: minutes.into_values().collect(), stopped }
    }
}

fn stopped(minutes: &BTreeMap<Timestamp, Period>, since: Timestamp, now: Timestamp) -> Option<String> {
    let newest = minutes.last_key_value();
    if between(newest.map_or(since, |(at, _)| *at), now) > STOPPED {
        let minutes = STOPPED.as_secs() / 60;
        return Some(format!("the load balancer reports no requests of the last {minutes} minutes"));
    }
    let (_, newest) = newest?;
    let side = if newest.canary.all == 0 { "the canary" } else { "the fleet" };
    (newest.canary.all == 0 || newest.fleet.all == 0)
        .then(|| format!("{side} had no request in the newest minute"))
}

/// The counts in sum, and the bet.
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    bet: Comparison,
    sum: Period,
}

impl Tally {
    pub fn under(judging: &Judging) -> Self {
        let bet = Comparison::tolerating(judging.tolerated_increase.share());
        Self { bet, sum: Period::default() }
    }

    pub fn add(&mut self, period: &Period) {
        self.bet.add(period);
        self.sum.canary = self.sum.canary.plus(period.canary);
        self.sum.fleet = self.sum.fleet.plus(period.fleet);
    }

    /// Whether the counts alone fail the canary.
    pub fn fails(&self) -> bool {
        self.bet.capital() >= -FALSE_ALARMS.ln()
    }

    /// What the counts come to while requests flow.
    pub fn finding(&self, judging: &Judging) -> Finding {
        if self.fails() {
            return Finding::Fails(format!("{}, {}", self.told(), self.odds()));
        }
        let (canary, fleet) = (self.sum.canary, self.sum.fleet);
        let wanted = judging.min_requests.max(1);
        if canary.all < wanted {
            return Finding::Lacks(format!("{} of {wanted} requests", canary.all));
        }
        if fleet.failed == 0 && canary.failed > 0 {
            return Finding::Lacks(self.told());
        }
        if self.bet.capital() >= SUSPECT.ln() {
            return Finding::Lacks(format!("{}, {}", self.told(), self.odds()));
        }
        // One half of what may go wrong for either side.
        let error = (1.0 - CONFIDENCE) / 2.0;
        let (highest, lowest) = (bounds(canary, error).1, bounds(fleet, error).0);
        let missed = highest - lowest;
        if missed > judging.max_missed.share() {
            let limit = judging.max_missed;
            let missed = points(missed);
            return Finding::Lacks(format!(
                "{}; {missed} more than the fleet's could be missed, and max_missed is {limit}",
                self.told()
            ));
        }
        Finding::Passes(format!(
            "{}; a 5xx rate up to {}, {} above the fleet's, could have been missed (95 % confidence)",
            self.told(),
            percent(highest),
            points(missed)
        ))
    }

    fn told(&self) -> String {
        let (canary, fleet) = (self.sum.canary, self.sum.fleet);
        format!(
            "{} of {} requests ended in 5xx ({}), of the fleet's {} of {} ({})",
            canary.failed,
            canary.all,
            percent(canary.rate()),
            fleet.failed,
            fleet.all,
            percent(fleet.rate())
        )
    }

    /// The reciprocal of the capital bounds the chance of it (Ville's inequality).
    fn odds(&self) -> String {
        let times = self.bet.capital().min(MOST.ln()).exp();
        format!("which a release that is no worse shows once in {times:.0} deploys at most")
    }
}

/// Beyond this a number tells nobody more.
const MOST: f64 = 1e6;

/// A difference of two rates.
fn points(difference: f64) -> String {
    format!("{} points", percent(difference).trim_end_matches(" %"))
}

pub(super) fn finding(traffic: Option<&Traffic>, judging: &Judging) -> Finding {
    let Some(traffic) = traffic else {
        return Finding::Lacks("no data of the load balancer's requests".to_owned());
    };
    let mut tally = Tally::under(judging);
    traffic.periods.iter().for_each(|period| tally.add(period));
    let finding = tally.finding(judging);
    match (&traffic.stopped, finding) {
        (_, Finding::Fails(reason)) => Finding::Fails(reason),
        (Some(stopped), _) => Finding::Lacks(stopped.clone()),
        (None, finding) => finding,
    }
}
