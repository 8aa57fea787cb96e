//! What a boot has seen of its app so far, and how it says that it gives up.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::ended::{Ended, times};
use super::tail;
use crate::agent::Agent;
use crate::failure::Failure;
use crate::start::Started;

/// What was seen so far.
pub(super) struct Course {
    began: Instant,
    pub(super) consecutive: u32,
    pub(super) failed: u32,
    /// Failed probes after the grace period.
    pub(super) failed_late: u32,
    pub(super) exits: u32,
    passed: u32,
    last_exit: Option<Ended>,
    /// What failed probes saw, and how often.
    seen: BTreeMap<String, u32>,
}

impl Course {
    pub(super) fn new() -> Self {
        Self {
            began: Instant::now(),
            consecutive: 0,
            failed: 0,
            failed_late: 0,
            exits: 0,
            passed: 0,
            last_exit: None,
            seen: BTreeMap::new(),
        }
    }

    pub(super) fn take(&mut self, probe: Result<(), String>, late: bool) {
        match probe {
            Ok(()) => {
                self.passed += 1;
                self.consecutive += 1;
            }
            Err(reason) => {
                tracing::debug!("probe failed: {reason}");
                self.failed += 1;
                self.failed_late += u32::from(late);
                self.consecutive = 0;
                *self.seen.entry(reason).or_default() += 1;
            }
        }
    }

    pub(super) fn exited(&mut self, ended: Ended) {
        self.exits += 1;
        self.last_exit = Some(ended);
        self.consecutive = 0;
    }

    /// A container that exits is the better explanation of probes that fail.
    pub(super) async fn give_up(&self, agent: &Agent, started: &Started) -> Failure {
        match self.last_exit {
            Some(ended) => self.kept_exiting(agent, started, ended).await,
            None => self.never_healthy(agent, started).await,
        }
    }

    async fn kept_exiting(&self, agent: &Agent, started: &Started, ended: Ended) -> Failure {
        let seconds = self.began.elapsed().as_secs();
        let tail = tail(agent, started).await;
        let last = tail.last().map(|l| format!("; last line: {l}")).unwrap_or_default();
        let (how, times) = (ended.words(started), times(self.exits));
        Failure::permanent(format!("E170 the container {how} {times} in {seconds} s{last}")).with_tail(tail)
    }

    async fn never_healthy(&self, agent: &Agent, started: &Started) -> Failure {
        let all = self.passed + self.failed;
        let seen: Vec<String> =
            self.seen.iter().map(|(reason, n)| format!("{reason} on {n} of {all} probes")).collect();
        let seen = if seen.is_empty() {
            "no probe was answered".to_owned()
        } else {
            format!("gave {}", seen.join(", "))
        };
        Failure::permanent(format!(
            "E171 {} {seen} and never passed {} in a row within {} s; \
             look at the app's log, or change [run] health, port or grace in adf.toml",
            started.check,
            started.run.passes.max(1),
            started.run.grace.as_secs()
        ))
        .with_tail(tail(agent, started).await)
    }
}
