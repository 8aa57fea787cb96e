//! The critical path of a deploy, row by row: pure.
//!
//! Two sums: to the promise, every server runs the release, which is the end of the step `replace`; and to the end of
//! the deploy, with the watch and the clean-up.

use std::time::Duration;

use adf_types::{ImageSource, Step};
use serde::Serialize;

use super::facts::{Boot, Facts, Image};
use super::mend::{self, Mend};
use super::past::{Past, median};

/// From the call that launches to the agent's start: the median of one instance, of the slowest of up to three, and of
/// the slowest of more. 90 % lognormal with median 35 s and p95 60 s, 10 % in a slow mode of 80 s, after
/// <https://www.daemonology.net/blog/2021-08-12-EC2-boot-time-benchmarking.html> and
/// <https://depot.dev/blog/faster-ec2-boot-time>.
pub(super) const LAUNCH_OF_ONE: Duration = Duration::from_secs(35);
const LAUNCH_OF_FEW: Duration = Duration::from_secs(52);
pub(super) const LAUNCH_OF_MANY: Duration = Duration::from_secs(80);
const FEW: u32 = 3;

/// A build from a Dockerfile, and the pull of an image: what a five-minute deploy has room for.
pub(super) const BUILD: Duration = Duration::from_mins(1);
pub(super) const PULL: Duration = Duration::from_secs(10);

/// Calls and polling, up to the promise.
const OWN: Duration = Duration::from_secs(5);

/// Until the judge counts the requests of a canary's first minute, if they are enough: the minute, another one until the
/// load balancer has reported it, and the look after the one that sees it.
const COUNTED: Duration = Duration::from_secs(60 + 60 + 15);

/// What AWS takes to end machines.
const TERMINATION: Duration = Duration::from_secs(5);

/// Where a number is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "from", content = "of", rename_all = "snake_case")]
pub enum From {
    /// A setting of AWS or a key of adf.toml, as it is called there.
    Setting(String),
    /// The median of so many deploys.
    LastDeploys(usize),
    /// What so many running instances say that they took, and an assumption about their launch.
    Receipts(usize),
    Assumed,
}

/// One wait of the deploy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    pub step: Step,
    pub what: String,
    pub seconds: f64,
    #[serde(flatten)]
    pub from: From,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimate {
    pub rows: Vec<Row>,
    /// Until every server runs the release.
    pub promise_seconds: f64,
    /// Until the deploy has ended, watch and clean-up included.
    pub whole_seconds: f64,
    pub deadline_seconds: f64,
    /// Whether the promise holds within the deadline.
    pub fits: bool,
    /// What brings it below the deadline; empty when it fits.
    pub mends: Vec<Mend>,
    /// What makes a deploy fail or wait although its time is enough.
    pub warnings: Vec<Mend>,
}

/// How long the deploy takes, and what to do if that is too long.
pub fn estimate(facts: &Facts) -> Estimate {
    let rows = rows(facts);
    let sum = |rows: &[Row]| rows.iter().map(|row| row.seconds).sum::<f64>();
    let promised = rows.iter().take_while(|row| row.step <= Step::Replace).count();
    let promise_seconds = sum(&rows[..promised]);
    let deadline_seconds = facts.policy.deadline.as_secs_f64();
    let over = Duration::try_from_secs_f64(promise_seconds - deadline_seconds).unwrap_or_default();
    Estimate {
        promise_seconds,
        whole_seconds: sum(&rows),
        deadline_seconds,
        fits: over.is_zero(),
        mends: mend::mends(facts, over),
        warnings: mend::warnings(facts),
        rows,
    }
}

fn rows(facts: &Facts) -> Vec<Row> {
    let mut path = Path::default();
    let (own, from) = measured(facts, |past| Some(past.own)).unwrap_or((OWN, From::Assumed));
    path.add(Step::Preflight, "calls and looks of all steps", own, from);
    if facts.has_canary() {
        path.start(facts, Step::Canary, Who::Canary, 1);
        let (bake, key) = bake(facts);
        if facts.counts_requests() && bake < COUNTED {
            let what = "the canary is observed, until CloudWatch has shown deploy.min_requests";
            path.add(Step::Judge, what, COUNTED, From::Assumed);
        } else {
            path.add(Step::Judge, "the canary is observed", bake, setting(key));
        }
    }
    path.fleet(facts);
    if facts.is_first() {
        return path.rows;
    }
    path.checkpoints(facts);
    // Old instances that stand by finish their requests in the watch: they are sent no new ones.
    if facts.refreshes() {
        path.drain(facts, Step::Replace, "the old instances finish their requests");
    }
    let watched =
        if facts.stands_by() { "the old instances stand by" } else { "the new instances are watched" };
    path.add(Step::Watch, watched, facts.policy.watch, setting("deploy.watch of adf.toml"));
    path.rest_of_the_drain(facts);
    if facts.has_canary() {
        path.drain(facts, Step::Cleanup, "the canary finishes its requests");
    }
    path.add(Step::Cleanup, "machines are terminated", TERMINATION, From::Assumed);
    path.rows
}

/// The longer of the bake and the time that the wanted probes take.
fn bake(facts: &Facts) -> (Duration, &'static str) {
    let wanted = u32::try_from(facts.policy.min_probes).unwrap_or(u32::MAX);
    let probes = facts.probe_interval.saturating_mul(wanted);
    if probes > facts.policy.bake {
        return (probes, "deploy.min_probes and run.interval of adf.toml");
    }
    (facts.policy.bake, "deploy.bake of adf.toml")
}

/// Whose start it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Canary,
    Fleet,
}

impl Who {
    /// Whether these instances build the image.
    pub(super) fn builds(self, facts: &Facts) -> bool {
        match facts.image {
            Image::Known => false,
            Image::BuiltOnce => self == Self::Canary || !facts.has_canary(),
            Image::BuiltEach => true,
        }
    }
}

/// From the call that launches to healthy by its own receipt, the slowest of one batch.
pub(super) fn start(facts: &Facts, who: Who) -> (Duration, From) {
    measured(facts, |past| past_start(facts, past, who)).unwrap_or_else(|| assumed_start(facts, who))
}

/// Of a fleet the record tells only when the load balancer had let the last one in; its canary tells what that took.
fn past_start(facts: &Facts, past: &Past, who: Who) -> Option<Duration> {
    match who {
        Who::Canary => past.canary_start,
        // Of several batches the record does not tell what one took.
        Who::Fleet if facts.batches() > 1 => None,
        Who::Fleet if facts.balancer.is_none() => past.fleet_start,
        Who::Fleet => Some(past.fleet_start?.saturating_sub(past.canary_checks?)),
    }
}

fn assumed_start(facts: &Facts, who: Who) -> (Duration, From) {
    let launch = match (who, facts.batch()) {
        (Who::Canary, _) | (_, 0..=1) => LAUNCH_OF_ONE,
        (Who::Fleet, 2..=FEW) => LAUNCH_OF_FEW,
        (Who::Fleet, _) => LAUNCH_OF_MANY,
    };
    let builds = who.builds(facts);
    let same = |boot: &&Boot| (boot.source == Some(ImageSource::Built)) == builds;
    let boots: Vec<Duration> = facts.boots.iter().filter(same).map(|boot| boot.took).collect();
    let known = boots.len();
    let boot = match who {
        Who::Canary => median(boots),
        Who::Fleet => boots.into_iter().max(),
    };
    if let Some(boot) = boot {
        return (launch + boot, From::Receipts(known));
    }
    let image = if builds { BUILD } else { PULL };
    (launch + image + facts.probe_interval.saturating_mul(facts.probe_passes), From::Assumed)
}

fn measured(facts: &Facts, time: impl Fn(&Past) -> Option<Duration>) -> Option<(Duration, From)> {
    let times: Vec<Duration> = facts.past.iter().filter_map(time).collect();
    let count = times.len();
    Some((median(times)?, From::LastDeploys(count)))
}

fn setting(name: impl Into<String>) -> From {
    From::Setting(name.into())
}

/// What happens in a start, in words.
fn what(facts: &Facts, who: Who) -> String {
    let image = if who.builds(facts) { "build" } else { "pull" };
    let at_once = match facts.batches() {
        1 => String::new(),
        batches if facts.checkpoints() > 0 => {
            format!(", in {batches} batches of {} at most,", facts.batch())
        }
        _ => format!(", {} at a time,", facts.batch()),
    };
    match (who, facts.capacity) {
        (Who::Canary, _) => format!("the canary boots, {image}s the image, is healthy"),
        (Who::Fleet, 1) => format!("1 instance boots, {image}s the image, is healthy"),
        (Who::Fleet, many) => format!("{many} instances{at_once} boot, {image} the image, are healthy"),
    }
}

#[derive(Default)]
struct Path {
    rows: Vec<Row>,
}

impl Path {
    fn add(&mut self, step: Step, what: impl Into<String>, took: Duration, from: From) {
        self.rows.push(Row { step, what: what.into(), seconds: took.as_secs_f64(), from });
    }

    /// A launch, the boot, and the load balancer's checks, so many times.
    fn start(&mut self, facts: &Facts, step: Step, who: Who, times: u32) {
        let (took, from) = start(facts, who);
        self.add(step, what(facts, who), took.saturating_mul(times), from);
        if let Some(balancer) = &facts.balancer {
            let check = &balancer.check;
            let took = check.interval.saturating_mul(check.passes).saturating_mul(times);
            let from = setting(format!(
                "health check: {} passes, {} s apart",
                check.passes,
                check.interval.as_secs()
            ));
            self.add(step, "healthy for the load balancer", took, from);
        }
    }

    /// All of the fleet, batch by batch; of several batches a past deploy tells only what they took together.
    fn fleet(&mut self, facts: &Facts) {
        let times = facts.batches();
        let together = measured(facts, |past| past.fleet_start).filter(|_| times > 1);
        match together {
            Some((took, from)) => self.add(Step::Replace, what(facts, Who::Fleet), took, from),
            None => self.start(facts, Step::Replace, Who::Fleet, times),
        }
    }

    /// At the last one, the whole fleet, nothing is left to be spared: AWS says nothing of a wait there.
    fn checkpoints(&mut self, facts: &Facts) {
        let (number, delay) = (facts.checkpoints(), facts.policy.checkpoint_delay);
        if number > 0 && !delay.is_zero() {
            let what = match number {
                1 => "the refresh stands still at 1 checkpoint".to_owned(),
                many => format!("the refresh stands still at {many} checkpoints"),
            };
            let from = setting("deploy.checkpoint_delay of adf.toml");
            self.add(Step::Replace, what, delay.saturating_mul(number), from);
        }
    }

    /// What is left of it when the watch ends.
    fn rest_of_the_drain(&mut self, facts: &Facts) {
        let drain = facts.balancer.as_ref().filter(|_| facts.stands_by()).map(|balancer| balancer.pace.drain);
        let rest = drain.unwrap_or_default().saturating_sub(facts.policy.watch);
        if !rest.is_zero() {
            let what = "the old instances finish their requests";
            self.add(Step::Watch, what, rest, setting("deregistration delay"));
        }
    }

    fn drain(&mut self, facts: &Facts, step: Step, what: &str) {
        if let Some(balancer) = &facts.balancer {
            self.add(step, what, balancer.pace.drain, setting("deregistration delay"));
        }
    }
}
