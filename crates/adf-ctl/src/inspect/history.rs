//! The last deploys, where their time went, and what is unusual about it.
//!
//! | file | what |
//! | --- | --- |
//! | `compare.rs` | each step beside the median of the other deploys; pure |
//! | `timeline.rs` | the whole log of one deploy; pure |

mod compare;
mod timeline;

use std::fmt::Write as _;

use adf_types::{AppName, DeployId, Outcome, ReleaseName, Step};
use jiff::Timestamp;
use serde::Serialize;

pub use compare::{Late, PastDeploy, late};
pub use timeline::OneDeploy;

use crate::context::Context;
use crate::error::CtlError;
use crate::printer::{Text, plain};

/// Newest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct History {
    pub app: AppName,
    pub deploys: Vec<PastDeploy>,
}

/// The last `limit` deploys of the app that the settings name.
pub async fn history(context: &Context, limit: usize, now: Timestamp) -> Result<History, CtlError> {
    let app = &context.settings.app()?.app;
    let records = context.store.deploys(app, limit).await?;
    if records.is_empty() && !super::is_known(context, app).await? {
        return Err(CtlError::UnknownApp(app.clone()));
    }
    Ok(History { app: app.clone(), deploys: compare::all(&records, now) })
}

/// One deploy, compared with the last `beside` others.
pub async fn one_deploy(
    context: &Context,
    id: &DeployId,
    beside: usize,
    now: Timestamp,
) -> Result<OneDeploy, CtlError> {
    let app = &context.settings.app()?.app;
    let unknown = || CtlError::UnknownDeploy { app: app.clone(), id: id.clone() };
    let record = context.store.deploy(app, id).await?.ok_or_else(unknown)?;
    let mut others = context.store.deploys(app, beside).await?;
    others.retain(|other| other.id != *id);
    Ok(timeline::of(&record, &others, now))
}

impl Text for History {
    fn text(&self) -> String {
        if self.deploys.is_empty() {
            return format!("nothing of {} was deployed yet\n", self.app);
        }
        let blocks: Vec<String> = self.deploys.iter().map(Text::text).collect();
        blocks.join("\n")
    }
}

/// `v1 -> v2`, or `restart of v1`.
pub(super) fn way(from: Option<&ReleaseName>, to: &ReleaseName, step: Step) -> String {
    if step == Step::Restart {
        return format!("restart of {to}");
    }
    format!("{} -> {to}", from.map_or("nothing", ReleaseName::as_str))
}

impl Text for PastDeploy {
    fn text(&self) -> String {
        let what = way(self.from.as_ref(), &self.to, self.step);
        let mut text = String::new();
        let _ = writeln!(text, "{what}  {}  {:.1} s", self.ended(), self.seconds);
        let _ = writeln!(text, "  {}, begun {:.0} by {}", self.id, self.started_at, plain(&self.owner));
        let steps: Vec<String> = self.steps.iter().map(compare::Compared::text).collect();
        let _ = writeln!(text, "  {}", steps.join(", "));
        if let Some(reached) = self.promise_seconds {
            let _ = writeln!(text, "  every server ran {} after {reached:.1} s", self.to);
        }
        if let Some(late) = &self.late {
            let _ = writeln!(text, "  {late}");
        }
        for line in self.reason().iter().flat_map(|reason| reason.lines()) {
            let _ = writeln!(text, "  {}", plain(line));
        }
        text
    }
}

impl PastDeploy {
    /// How it ended, in a few words.
    fn ended(&self) -> String {
        match &self.outcome {
            Some(Outcome::Succeeded) => "succeeded".to_owned(),
            Some(Outcome::RolledBack { .. }) => "was rolled back".to_owned(),
            Some(Outcome::Failed { .. }) => "failed".to_owned(),
            None => format!("is open, at step {}", self.step),
        }
    }

    fn reason(&self) -> Option<String> {
        match self.outcome.as_ref()? {
            Outcome::Succeeded => None,
            Outcome::RolledBack { reason } => Some(reason.clone()),
            Outcome::Failed { reason, serving } => Some(format!("{reason}\n{serving}")),
        }
    }
}

#[cfg(test)]
mod tests;
