//! Each step of a deploy beside the median of the others: pure.

use std::fmt;

use adf_types::{DeployId, DeployRecord, Direction, Outcome, ReleaseName, Step};
use jiff::Timestamp;
use serde::Serialize;

use crate::deploy::judge::between;
use crate::deploy::timings::{self, StepTime};

/// One deploy, and where its time went.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PastDeploy {
    pub id: DeployId,
    pub from: Option<ReleaseName>,
    pub to: ReleaseName,
    pub owner: String,
    pub started_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// `None` while it is open.
    #[serde(flatten)]
    pub outcome: Option<Outcome>,
    /// The step that it is at, or ended at.
    pub step: Step,
    /// Up to its end, or up to now.
    pub seconds: f64,
    /// Until every server ran the release, if it came to that.
    pub promise_seconds: Option<f64>,
    pub late: Option<Late>,
    pub steps: Vec<Compared>,
}

/// A deadline that was missed, and the step that cost most of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Late {
    pub deadline_seconds: f64,
    pub over_seconds: f64,
    pub step: String,
    pub step_seconds: f64,
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "past its deadline of {:.0} s by {:.1} s: {} cost most, {:.1} s",
            self.deadline_seconds, self.over_seconds, self.step, self.step_seconds
        )
    }
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    #[serde(flatten)]
    pub time: StepTime,
    /// The median of the other deploys that went well; `None` where no other had this step.
    pub usual_seconds: Option<f64>,
}

/// Below this a difference is nothing that somebody would look into.
const NOTEWORTHY_SECONDS: f64 = 2.0;

impl Compared {
    /// `replace 61.0 s, usually 40.0 s`.
    pub(super) fn text(&self) -> String {
        let said = format!("{} {:.1} s", self.time.step, self.time.seconds);
        let unusual = |usual: &f64| {
            let difference = (self.time.seconds - usual).abs();
            difference >= NOTEWORTHY_SECONDS && difference >= usual / 10.0
        };
        match self.usual_seconds.filter(unusual) {
            Some(usual) => format!("{said} (usually {usual:.1} s)"),
            None => said,
        }
    }
}

pub(super) fn all(records: &[DeployRecord], now: Timestamp) -> Vec<PastDeploy> {
    let others = |this: &DeployRecord| {
        let others = records.iter().filter(|other| other.id != this.id);
        others.cloned().collect::<Vec<_>>()
    };
    records.iter().map(|record| one(record, &others(record), now)).collect()
}

pub(super) fn one(record: &DeployRecord, others: &[DeployRecord], now: Timestamp) -> PastDeploy {
    let times: Vec<Vec<StepTime>> =
        others.iter().filter(|other| other.outcome == Some(Outcome::Succeeded)).map(timings::steps).collect();
    let usual = |step: &str| {
        let of = |steps: &Vec<StepTime>| Some(steps.iter().find(|time| time.step == step)?.seconds);
        median(times.iter().filter_map(of).collect())
    };
    let steps = timings::steps(record).into_iter();
    let steps = steps.map(|time| Compared { usual_seconds: usual(&time.step), time });
    let steps: Vec<Compared> = steps.collect();
    let end = record.finished_at.unwrap_or(now);
    let reached = record.progress.replaced_at.map(|at| seconds(record.started_at, at));
    PastDeploy {
        id: record.id.clone(),
        from: record.from.clone(),
        to: record.to.clone(),
        owner: record.owner.clone(),
        started_at: record.started_at,
        finished_at: record.finished_at,
        outcome: record.outcome.clone(),
        step: record.step,
        seconds: seconds(record.started_at, end),
        promise_seconds: reached,
        late: late(record, now),
        steps,
    }
}

/// Whether, and how far, a deploy missed its deadline. That is for "every server runs the release": of a deploy that
/// went back nobody expects it any more, and of an open one it counts up to `now`.
pub fn late(record: &DeployRecord, now: Timestamp) -> Option<Late> {
    if record.is_restart() {
        return None;
    }
    let under_way = record.is_open() && record.direction == Direction::Forward;
    let until = record.progress.replaced_at.or(under_way.then_some(now))?;
    let deadline_seconds = record.policy.deadline.as_secs_f64();
    let over_seconds = seconds(record.started_at, until) - deadline_seconds;
    if over_seconds <= 0.0 {
        return None;
    }
    let steps = timings::steps(record).into_iter();
    let counted = steps.filter(|time| Step::ALL.iter().any(|step| counts(*step, &time.step)));
    let most = counted.max_by(|a, b| a.seconds.total_cmp(&b.seconds))?;
    Some(Late { deadline_seconds, over_seconds, step: most.step, step_seconds: most.seconds })
}

fn counts(step: Step, name: &str) -> bool {
    step <= Step::Replace && step.as_str() == name
}

fn median(mut times: Vec<f64>) -> Option<f64> {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    let upper = *times.get(middle)?;
    Some(if times.len() % 2 == 1 { upper } else { f64::midpoint(times[middle - 1], upper) })
}

pub(super) fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    between(from, to).as_secs_f64()
}
