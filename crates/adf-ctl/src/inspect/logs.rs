//! What instances reported that are not well: the receipt's stage, reason and last lines; the console of one that has no
//! receipt, or whose agent was not heard for long.
//!
//! | file | what |
//! | --- | --- |
//! | `select.rs` | whose logs are of interest; pure |
//!
//! The rule: all of this was written by instances, and passes through [`plain`] line by line before a terminal has it.

mod select;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use adf_types::{AppName, InstanceId, InstanceState, Receipt, ReleaseName};
use jiff::Timestamp;
use serde::Serialize;

use super::fleet::{ago, state};
use crate::context::Context;
use crate::error::CtlError;
use crate::printer::{Text, plain};

use select::Chosen;

/// Deploys among which the last failed one is looked for.
const DEPLOYS: usize = 20;

/// The end of a console is where an agent says why it gave up; before it the kernel boots.
const CONSOLE_LINES: usize = 40;

/// Consoles that are read without being asked for: each is a call, and ten alike tell no more than one.
const CONSOLES: usize = 10;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Logs {
    pub app: AppName,
    pub instances: Vec<Log>,
    /// Instances of interest whose console nobody read, because there are too many.
    pub consoles_left: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Log {
    pub instance: InstanceId,
    /// Why it is listed.
    pub why: String,
    pub release: Option<ReleaseName>,
    /// What it said last; `None` without a receipt.
    pub state: Option<String>,
    pub heard_at: Option<Timestamp>,
    /// What an operator should know whatever the state.
    pub notice: Option<String>,
    /// The last lines of the build or of the app.
    pub lines: Vec<String>,
    pub console: Option<Console>,
    #[serde(skip)]
    ago: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Console {
    /// Its last lines.
    Lines(Vec<String>),
    /// The machine has printed nothing yet, or EC2 has forgotten it.
    Nothing,
    Unreadable(String),
}

/// The logs of `named` instances, or of all that are of interest. Consoles are read of all of them with `console`, else
/// of those that did not say anything themselves.
pub async fn logs(
    context: &Context,
    named: &[InstanceId],
    console: bool,
    now: Timestamp,
) -> Result<Logs, CtlError> {
    let (app, store) = (&context.settings.app()?.app, &context.store);
    let receipts = store.receipts(app).await?;
    let chosen =
        if named.is_empty() { of_interest(context, &receipts, now).await? } else { select::named(named) };
    let mut logs = Logs { app: app.clone(), instances: Vec::new(), consoles_left: 0 };
    let mut read = 0;
    for chosen in chosen {
        let receipt = receipts.iter().find(|receipt| receipt.instance == chosen.instance);
        let mut log = Log::of(chosen, receipt, now);
        if console || select::is_silent(receipt, now) {
            let asked = console || !named.is_empty();
            if asked || read < CONSOLES {
                log.console = Some(read_console(context, &log.instance).await);
                read += 1;
            } else {
                logs.consoles_left += 1;
            }
        }
        logs.instances.push(log);
    }
    Ok(logs)
}

async fn of_interest(
    context: &Context,
    receipts: &[Receipt],
    now: Timestamp,
) -> Result<Vec<Chosen>, CtlError> {
    let names = context.settings.app()?;
    let deploys = context.store.deploys(&names.app, DEPLOYS).await?;
    let group = context.aws.group(&names.group).await?;
    let targets = match group.as_ref().and_then(|group| group.target_groups.first()) {
        Some(arn) => context.aws.target_health(arn).await?,
        None => BTreeMap::new(),
    };
    let members = group.map(|group| group.members).unwrap_or_default();
    if members.is_empty() && deploys.is_empty() && !super::is_known(context, &names.app).await? {
        return Err(CtlError::UnknownApp(names.app.clone()));
    }
    Ok(select::of_interest(&deploys, &members, &targets, receipts, now))
}

/// One console that cannot be read does not keep the others from being shown.
async fn read_console(context: &Context, id: &InstanceId) -> Console {
    match context.aws.console_output(id).await {
        Ok(Some(text)) => Console::Lines(last_lines(&text)),
        Ok(None) => Console::Nothing,
        Err(error) => Console::Unreadable(error.to_string()),
    }
}

/// A console ends its lines with a carriage return, and begins some with one.
fn last_lines(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().map(|line| line.trim_matches('\r')).collect();
    let written = lines.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    let first = written.saturating_sub(CONSOLE_LINES);
    lines[first..written].iter().map(|line| (*line).to_owned()).collect()
}

impl Log {
    fn of(chosen: Chosen, receipt: Option<&Receipt>, now: Timestamp) -> Self {
        let lines = match receipt.map(|receipt| &receipt.state) {
            Some(InstanceState::Failed { log_tail, .. }) => log_tail.clone(),
            _ => Vec::new(),
        };
        Self {
            instance: chosen.instance,
            why: chosen.why,
            release: receipt.map(|receipt| receipt.release.clone()),
            state: receipt.map(|receipt| state(&receipt.state)),
            heard_at: receipt.map(|receipt| receipt.updated_at),
            notice: receipt.and_then(|receipt| receipt.notice.clone()),
            lines,
            console: None,
            ago: receipt.map_or_else(String::new, |receipt| ago(now.duration_since(receipt.updated_at))),
        }
    }
}

impl Text for Logs {
    fn text(&self) -> String {
        if self.instances.is_empty() {
            return format!(
                "every instance of {} is well, and no deploy of late has failed\nof one that is well: adf-ctl logs \
                 --console INSTANCE\n",
                self.app
            );
        }
        let blocks: Vec<String> = self.instances.iter().map(Text::text).collect();
        let mut text = blocks.join("\n");
        if self.consoles_left > 0 {
            let _ = writeln!(
                text,
                "\nthe consoles of {} more were not read; --console reads all",
                self.consoles_left
            );
        }
        text
    }
}

impl Text for Log {
    fn text(&self) -> String {
        let release = self.release.as_ref().map_or_else(String::new, |release| format!(" of {release}"));
        let mut text = format!("{}{release}: {}\n", self.instance, plain(&self.why));
        match &self.state {
            Some(state) => {
                let _ = writeln!(text, "  {}, said {} ago", plain(state), self.ago);
            }
            None => text.push_str("  no receipt: its agent never reached the table\n"),
        }
        if let Some(notice) = &self.notice {
            let _ = writeln!(text, "  {}", plain(notice));
        }
        piped(&mut text, &self.lines);
        match &self.console {
            None => {}
            Some(Console::Nothing) => text.push_str("  console: nothing was printed that EC2 still has\n"),
            Some(Console::Unreadable(why)) => {
                let _ = writeln!(text, "  console: cannot be read: {}", plain(why));
            }
            Some(Console::Lines(lines)) => {
                text.push_str("  console, its end:\n");
                piped(&mut text, lines);
            }
        }
        text
    }
}

fn piped(text: &mut String, lines: &[String]) {
    for line in lines {
        let _ = writeln!(text, "  | {}", plain(line));
    }
}

#[cfg(test)]
mod tests;
