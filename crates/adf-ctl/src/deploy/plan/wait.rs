//! Waits: each has a limit, each limit a name, counted from the last thing that the deploy did.

use std::time::Duration;

use adf_types::{Cause, DeployRecord, Direction, Outcome, Step, Waiting};
use jiff::{SignedDuration, Timestamp};

use super::{Action, Decision};

/// The limit of every wait for instances to boot, from adf.toml.
pub const BOOT_TIMEOUT: &str = "deploy.boot_timeout";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// What is waited for, with counts, for the operator.
    pub what: String,
    pub kind: Waiting,
    /// When the wait ends: the limit, or for a configured time its regular end.
    pub until: Timestamp,
    /// The limit's name, as the operator knows it.
    pub limit: &'static str,
}

/// AWS may show an effect a moment after it accepted the call ("eventual consistency" in the EC2 guide): the
/// same call is repeated only after this long, and not for ever.
const REPEAT: Duration = Duration::from_secs(3);
const REPEAT_LIMIT: &str = "10 times the same call";
const REPEATS: usize = 10;

/// Holds back a call that was made just now.
pub(super) fn patiently(decision: Decision, record: &DeployRecord, now: Timestamp) -> Decision {
    let Decision::Act(action) = &decision else { return decision };
    let intent = action.intent();
    let acts = record.log.iter().rev().filter(|entry| entry.waiting.is_none());
    let same = acts.take_while(|entry| entry.intent == intent && entry.result.is_some()).count();
    if same == 0 {
        return decision;
    }
    if same >= REPEATS {
        return without_effect(record, &intent);
    }
    let until = after(last_act(record), REPEAT);
    if now >= until {
        return decision;
    }
    let what = format!("AWS to show: {intent}");
    Decision::Wait(Wait { what, kind: Waiting::Aws, until, limit: REPEAT_LIMIT })
}

fn without_effect(record: &DeployRecord, intent: &str) -> Decision {
    let reason = format!("{REPEAT_LIMIT} without effect: {intent}");
    if record.direction == Direction::Forward && record.step < Step::Cleanup {
        return Decision::Act(Action::TurnBack { reason, cause: Cause::Aws });
    }
    let serving = "adf-ctl status shows what serves; nothing more was removed".to_owned();
    Decision::Finish(Outcome::Failed { reason, serving })
}

/// When the deploy last did something; waits count from here, so they survive a change of driver.
pub(super) fn last_act(record: &DeployRecord) -> Timestamp {
    let acts = record.log.iter().rev().filter(|entry| entry.waiting.is_none());
    let last = acts.map(|entry| entry.finished_at.unwrap_or(entry.started_at)).next();
    last.unwrap_or(record.started_at)
}

pub(super) fn after(from: Timestamp, duration: Duration) -> Timestamp {
    let duration = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
    from.saturating_add(duration).unwrap_or(Timestamp::MAX)
}
