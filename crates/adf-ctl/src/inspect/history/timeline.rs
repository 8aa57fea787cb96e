//! The whole log of one deploy, line by line: pure.

use adf_types::{DeployRecord, LogEntry, Step, Verdict, Waiting};
use jiff::Timestamp;
use serde::Serialize;

use super::compare::{self, PastDeploy, seconds};
use crate::printer::{Text, plain, table};

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OneDeploy {
    #[serde(flatten)]
    pub deploy: PastDeploy,
    pub verdict: Option<Verdict>,
    pub log: Vec<Line>,
}

/// One thing that the deploy did, or waited for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// After the deploy's start.
    pub at_seconds: f64,
    pub step: Step,
    pub intent: String,
    /// `None`: what became of it nobody recorded.
    pub result: Option<String>,
    /// Up to the next line, as the sums of the steps count it.
    pub seconds: f64,
    /// What the time went into.
    pub whose: Whose,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Whose {
    Instances,
    Configured,
    Aws,
    /// The controller's own: calls, planning, polling.
    Own,
}

impl Whose {
    fn as_str(self) -> &'static str {
        match self {
            Self::Instances => "instances",
            Self::Configured => "configured",
            Self::Aws => "aws",
            Self::Own => "own",
        }
    }
}

pub(super) fn of(record: &DeployRecord, others: &[DeployRecord], now: Timestamp) -> OneDeploy {
    let line = |(index, entry): (usize, &LogEntry)| {
        let next = record.log.get(index + 1).map(|next| next.started_at);
        let end = next.or(entry.finished_at).unwrap_or(if record.is_open() { now } else { entry.started_at });
        Line {
            at_seconds: seconds(record.started_at, entry.started_at),
            step: entry.step,
            intent: entry.intent.clone(),
            result: entry.result.clone(),
            seconds: seconds(entry.started_at, end),
            whose: whose(entry),
        }
    };
    OneDeploy {
        deploy: compare::one(record, others, now),
        verdict: record.progress.verdict.clone(),
        log: record.log.iter().enumerate().map(line).collect(),
    }
}

fn whose(entry: &LogEntry) -> Whose {
    match entry.waiting {
        Some(Waiting::Instances) => Whose::Instances,
        Some(Waiting::Configured | Waiting::Operator) => Whose::Configured,
        Some(Waiting::Aws) => Whose::Aws,
        None => Whose::Own,
    }
}

/// A row of a terminal has room for so much; the reason of a failure stands above the log, whole.
const SHOWN: usize = 72;

fn short(text: &str) -> String {
    let first = text.lines().next().unwrap_or_default();
    match first.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}...", &first[..cut]),
        None if first.len() < text.len() => format!("{first} ..."),
        None => first.to_owned(),
    }
}

impl Text for OneDeploy {
    fn text(&self) -> String {
        let verdict = self.verdict.as_ref().map_or_else(String::new, |verdict| {
            let (word, why) = match verdict {
                Verdict::Pass { evidence } => ("pass", evidence),
                Verdict::Fail { reason } => ("fail", reason),
                Verdict::Inconclusive { reason } => ("inconclusive", reason),
            };
            format!("  canary: {word}, {}\n", plain(why))
        });
        let rows = self.log.iter().map(|line| {
            [
                format!("{:.1}", line.at_seconds),
                line.step.to_string(),
                format!("{:.1}", line.seconds),
                line.whose.as_str().to_owned(),
                short(&line.intent),
                line.result.as_deref().map_or_else(|| "not recorded".to_owned(), short),
            ]
        });
        let log = table(["AT", "STEP", "SECONDS", "WHOSE", "WHAT", "RESULT"], rows);
        format!("{}{verdict}\n{log}", self.deploy.text())
    }
}
