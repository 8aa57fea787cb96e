//! What the operator sees while a deploy runs, on stderr: one line for each step with its time, and on a
//! terminal one moving line for the present wait, with a bar of the steps, and one for each instance, with a
//! bar of its stages.
//!
//! Without a terminal, or with `NO_COLOR`, the same facts are plain lines, each said once.

use std::collections::BTreeMap;

use adf_types::{DeployRecord, Direction, InstanceId, InstanceState, Receipt, Stage, Step, Verdict};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;

use super::fleet::Fleet;
use super::judge::{between, stands};
use super::plan::{Action, Decision, TURN_BACK};
use crate::inspect;
use crate::printer::{Printer, plain};

#[derive(Debug)]
pub struct View {
    out: Out,
    /// The step that is shown as going on, and since when.
    step: Option<(Title, Timestamp)>,
    last: String,
    /// Whether it was said that the deadline has passed.
    late: bool,
}

#[derive(Debug)]
enum Out {
    Nobody,
    Lines(Printer),
    Terminal(Bars),
}

/// A step, or the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Title {
    Step(Step),
    Back,
}

impl Title {
    fn as_str(self) -> &'static str {
        match self {
            Self::Step(step) => step.as_str(),
            Self::Back => "rollback",
        }
    }
}

impl View {
    pub fn on_stderr(printer: Printer) -> Self {
        let out = if printer.animates() { Out::Terminal(Bars::new()) } else { Out::Lines(printer) };
        Self { out, step: None, last: String::new(), late: false }
    }

    /// For tests and for programs that want the result only.
    pub fn hidden() -> Self {
        Self { out: Out::Nobody, step: None, last: String::new(), late: false }
    }

    /// One turn of the driver.
    pub fn show(&mut self, fleet: &Fleet, record: &DeployRecord, decision: &Decision, now: Timestamp) {
        self.step(record, now);
        if let Some(late) = self.newly_late(record, now) {
            self.note(&late);
        }
        let doing = match decision {
            // The next look says why, as the title of the way back.
            Decision::Act(Action::TurnBack { .. }) => TURN_BACK.to_owned(),
            // With how much was seen; another verdict is the reason of a way back, which is told with it.
            Decision::Act(action @ Action::RecordVerdict(verdict @ Verdict::Pass { .. })) => {
                format!("{}: {verdict}", action.intent())
            }
            Decision::Act(action) => action.intent(),
            Decision::Wait(wait) => format!("waiting for {}", wait.what),
            Decision::Finish(_) => "closing the deploy".to_owned(),
        };
        self.doing(record, &doing, now);
        if let Out::Terminal(bars) = &mut self.out {
            bars.fleet(fleet);
        }
    }

    /// Somebody else drives: only the record tells.
    pub fn follow(&mut self, record: &DeployRecord) {
        let now = record
            .log
            .last()
            .map_or(record.started_at, |entry| entry.finished_at.unwrap_or(entry.started_at));
        self.step(record, now);
        if let Some(entry) = record.log.last() {
            let intent = entry.intent.clone();
            self.doing(record, &intent, now);
        }
    }

    pub fn note(&mut self, line: &str) {
        for line in line.lines() {
            match &self.out {
                Out::Nobody => {}
                Out::Lines(printer) => printer.note(line),
                Out::Terminal(bars) => bars.line(line),
            }
        }
    }

    /// Takes the moving lines away.
    pub fn end(&mut self) {
        if let Out::Terminal(bars) = &mut self.out {
            bars.clear();
        }
    }

    /// That the deadline has passed: said once, when it is seen.
    fn newly_late(&mut self, record: &DeployRecord, now: Timestamp) -> Option<String> {
        let late = inspect::late(record, now).filter(|_| !self.late)?;
        self.late = true;
        Some(format!("deploy {} is {late}", record.id))
    }

    fn step(&mut self, record: &DeployRecord, now: Timestamp) {
        let title = match record.direction {
            Direction::Forward => Title::Step(record.step),
            Direction::Back { .. } => Title::Back,
        };
        if self.step.is_some_and(|(shown, _)| shown == title) {
            return;
        }
        if let Some((before, since)) = self.step {
            let seconds = between(since, now).as_secs_f64();
            self.note(&format!("{:<10} {seconds:6.1} s", before.as_str()));
        }
        if let Direction::Back { reason, .. } = &record.direction {
            self.note(&format!("going back: {reason}"));
        }
        self.step = Some((title, now));
    }

    /// Said once on plain lines: counts inside a wait move, and would repeat the line every second.
    fn doing(&mut self, record: &DeployRecord, doing: &str, now: Timestamp) {
        let title = self.step.map_or("", |(title, _)| title.as_str());
        let total = between(record.started_at, now).as_secs();
        match &mut self.out {
            Out::Nobody => {}
            Out::Terminal(bars) => bars.doing(record.step, &format!("{title:<10} {total:>4} s  {doing}")),
            Out::Lines(printer) => {
                let stable = stable(doing);
                if self.last != stable {
                    self.last = stable;
                    printer.note(&format!("{title:<10} {total:>4} s  {doing}"));
                }
            }
        }
    }
}

/// What makes a line worth saying again: its words before the counts, and the code of a trouble among them.
fn stable(doing: &str) -> String {
    let (what, counts) = doing.split_once(':').unwrap_or((doing, ""));
    let is_code = |word: &&str| word.len() == 4 && word.starts_with('E') && word[1..].parse::<u16>().is_ok();
    format!("{what} {}", counts.split_whitespace().find(is_code).unwrap_or_default())
}

/// The moving lines.
#[derive(Debug)]
struct Bars {
    all: MultiProgress,
    doing: ProgressBar,
    instances: BTreeMap<InstanceId, ProgressBar>,
}

/// More instances than this would push the steps off the screen; the counts are in the wait's line.
const SHOWN: usize = 16;

impl Bars {
    fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let steps = ProgressBar::new(count(&Step::ALL)).with_style(style("{spinner} {bar:8} {wide_msg}"));
        let doing = all.add(steps);
        doing.enable_steady_tick(std::time::Duration::from_millis(120));
        Self { all, doing, instances: BTreeMap::new() }
    }

    fn line(&self, line: &str) {
        // A terminal that is gone is no reason to stop a deploy.
        let _ = self.all.println(plain(line));
    }

    fn doing(&self, step: Step, text: &str) {
        self.doing.set_position(place(&Step::ALL, &step));
        self.doing.set_message(plain(text.lines().next().unwrap_or_default()).into_owned());
    }

    fn fleet(&mut self, fleet: &Fleet) {
        let canary = fleet.canary.iter().map(|c| {
            let stands = stands(c.receipt.as_ref(), c.target.as_ref());
            (&c.id, reached(c.receipt.as_ref()), "canary", stands)
        });
        let members = fleet.members.iter().map(|m| {
            let release = m.receipt.as_ref().map_or("-", |r: &Receipt| r.release.as_str());
            let stands = stands(m.receipt.as_ref(), m.target.as_ref());
            (&m.id, reached(m.receipt.as_ref()), release, format!("{:?}, {stands}", m.lifecycle))
        });
        let shown: Vec<_> = canary.chain(members).take(SHOWN).collect();
        self.instances.retain(|id, bar| {
            let stays = shown.iter().any(|(shown, ..)| *shown == id);
            if !stays {
                bar.finish_and_clear();
            }
            stays
        });
        for (id, stages, what, text) in shown {
            let bar = self.instances.entry(id.clone()).or_insert_with(|| {
                let stages = ProgressBar::new(count(&Stage::ALL)).with_style(style("    {bar:7} {wide_msg}"));
                self.all.add(stages)
            });
            bar.set_position(stages);
            let line = format!("{id}  {what:<8} {text}");
            bar.set_message(plain(line.lines().next().unwrap_or_default()).into_owned());
        }
    }

    fn clear(&mut self) {
        for bar in self.instances.values() {
            bar.finish_and_clear();
        }
        self.instances.clear();
        self.doing.finish_and_clear();
    }
}

/// How many stages of its boot an instance has behind it.
fn reached(receipt: Option<&Receipt>) -> u64 {
    match receipt.map(|receipt| &receipt.state) {
        None => 0,
        Some(InstanceState::Booting { stage } | InstanceState::Failed { stage, .. }) => {
            place(&Stage::ALL, stage)
        }
        Some(_) => count(&Stage::ALL),
    }
}

fn count<T>(all: &[T]) -> u64 {
    all.len() as u64
}

/// What of `all` comes before `one`.
fn place<T: PartialEq>(all: &[T], one: &T) -> u64 {
    all.iter().take_while(|other| *other != one).count() as u64
}

fn style(template: &'static str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("a constant template")
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::deploy::plan::tests::record;
    use crate::deploy::record::intend;

    #[test]
    fn a_deadline_that_passes_is_said_once_and_names_what_cost_most() {
        let (mut view, mut record) = (View::hidden(), record(Step::Replace, &["i-1"]));
        let started = record.started_at;
        intend(&mut record, Step::Replace, "set desired capacity to 2".to_owned(), started);
        let after = |seconds| record.started_at + SignedDuration::from_secs(seconds);
        let deadline = i64::try_from(record.policy.deadline.as_secs()).expect("minutes");
        assert_eq!(view.newly_late(&record, after(deadline)), None);
        let said = view.newly_late(&record, after(deadline + 1)).expect("it is late");
        assert!(said.contains("past its deadline") && said.contains("cost most"), "{said}");
        assert_eq!(view.newly_late(&record, after(deadline + 9)), None);
    }
}
