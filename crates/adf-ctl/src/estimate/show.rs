//! How a plan looks.

use std::fmt;
use std::fmt::Write as _;

use adf_config::report::Explain as _;
use adf_types::{AppName, ReleaseName};
use serde::Serialize;

use super::mend::Mend;
use super::path::{Estimate, From};
use crate::deploy::DeployError;
use crate::printer::{Text, plain, table};

/// What a deploy of a release would take, and be refused for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    pub app: AppName,
    pub from: Option<ReleaseName>,
    pub release: ReleaseName,
    /// Instances that the deploy ends with.
    pub capacity: u32,
    #[serde(flatten)]
    pub estimate: Estimate,
    /// What a deploy would be refused for.
    pub obstacles: Vec<Obstacle>,
}

/// Something that is in the way, and what removes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Obstacle {
    pub reason: String,
    pub mend: String,
}

impl Obstacle {
    pub(super) fn of(error: DeployError) -> Self {
        let mend = error.hint().unwrap_or_default();
        let reason = match error {
            DeployError::Refused { reason, .. } => reason,
            other => other.to_string(),
        };
        Self { reason, mend }
    }
}

impl fmt::Display for From {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = |n: &usize| if *n == 1 { "" } else { "s" };
        match self {
            Self::Setting(name) => f.write_str(name),
            Self::LastDeploys(1) => f.write_str("last deploy"),
            Self::LastDeploys(n) => write!(f, "last {n} deploys"),
            Self::Receipts(n) => write!(f, "receipt{} of {n} instance{}, launch assumed", s(n), s(n)),
            Self::Assumed => f.write_str("assumed"),
        }
    }
}

impl Text for Plan {
    fn text(&self) -> String {
        let estimate = &self.estimate;
        let from = self.from.as_ref().map_or("nothing".to_owned(), ToString::to_string);
        let plural = if self.capacity == 1 { "" } else { "s" };
        let fleet = format!("{} instance{plural}", self.capacity);
        let mut text = format!("{}: {from} -> {} on {fleet}\n\n", self.app, self.release);
        let rows = estimate.rows.iter().map(|row| {
            [row.step.to_string(), format!("{:.0}", row.seconds), row.what.clone(), row.from.to_string()]
        });
        text.push_str(&table(["STEP", "SECONDS", "WHAT", "FROM"], rows));
        let holds = if estimate.fits { "within" } else { "past" };
        let _ = write!(
            text,
            "\nevery server runs {} after about {:.0} s, {holds} the deadline of {:.0} s\n\
             with watch and clean-up the deploy takes about {:.0} s\n",
            self.release, estimate.promise_seconds, estimate.deadline_seconds, estimate.whole_seconds
        );
        section(&mut text, "what breaks the deadline, and what mends it", estimate.mends.iter().map(pair));
        section(&mut text, "beyond the deadline", estimate.warnings.iter().map(pair));
        let refused = self.obstacles.iter().map(|o| (o.reason.as_str(), o.mend.as_str()));
        section(&mut text, "a deploy would be refused", refused);
        text
    }
}

fn pair(mend: &Mend) -> (&str, &str) {
    (&mend.why, &mend.mend)
}

/// Commands stand on lines of their own, whole, to be copied.
fn section<'a>(text: &mut String, title: &str, items: impl Iterator<Item = (&'a str, &'a str)>) {
    let mut items = items.peekable();
    if items.peek().is_some() {
        let _ = writeln!(text, "\n{title}:");
    }
    for (why, mend) in items {
        let _ = writeln!(text, "  {}\n    {}", plain(why), plain(mend));
    }
}
