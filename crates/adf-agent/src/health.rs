//! Stage health: K consecutive passes within the grace period.
//!
//! The rule: one failed probe starts the count again, and a container that exits three times is given up,
//! with its last lines.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_types::Receipt;
use tokio::time::{Instant, MissedTickBehavior};

use crate::agent::Agent;
use crate::failure::Failure;
use crate::log::TAIL_LINES;
use crate::report::Reached;
use crate::start::Started;
use crate::world::ContainerState;

/// A container that exits during boot is started again this soon, and at most so often.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
const EXITS: u32 = 3;

/// An app that passed its K probes in a row.
#[derive(Debug, Clone)]
pub struct Healthy {
    pub started: Started,
}

impl Reached for Healthy {
    fn record(&self, _: &mut Receipt) {}
}

pub async fn health(agent: &Agent, started: Started) -> Result<Healthy, Failure> {
    let mut course = Course::new();
    let deadline = Instant::now() + started.run.grace;
    let mut ticks = tokio::time::interval(started.run.interval.max(Duration::from_millis(10)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        if tokio::time::timeout_at(deadline, ticks.tick()).await.is_err() {
            return Err(course.out_of_grace(agent, &started).await);
        }
        match agent.world.docker.state(&started.container).await? {
            ContainerState::Running => {
                course.take(probe(agent, &started).await);
                if course.consecutive >= started.run.passes.max(1) {
                    tracing::info!(passes = course.consecutive, failed = course.failed, "healthy");
                    return Ok(Healthy { started });
                }
            }
            ContainerState::Exited { code, out_of_memory } => {
                course.exited(Exit { code, out_of_memory });
                if course.exits >= EXITS {
                    return Err(course.out_of_grace(agent, &started).await);
                }
                tracing::warn!(
                    code,
                    out_of_memory,
                    exits = course.exits,
                    "the container exited; starting it again"
                );
                tokio::time::sleep(RESTART_PAUSE).await;
                agent.world.docker.start(&started.container).await?;
            }
            ContainerState::Gone => {
                return Err(Failure::permanent(
                    "E170 the container was removed by somebody else during boot",
                ));
            }
        }
    }
}

/// One look at a running container; a worker passes by running.
pub async fn probe(agent: &Agent, started: &Started) -> Result<(), String> {
    match &started.probe {
        Some(target) => agent.world.prober.probe(target, started.run.timeout).await,
        None => Ok(()),
    }
}

#[derive(Debug, Clone, Copy)]
struct Exit {
    code: i64,
    out_of_memory: bool,
}

/// What was seen so far.
struct Course {
    began: Instant,
    consecutive: u32,
    passed: u32,
    failed: u32,
    exits: u32,
    last_exit: Option<Exit>,
    /// What failed probes saw, and how often.
    seen: BTreeMap<String, u32>,
}

impl Course {
    fn new() -> Self {
        let began = Instant::now();
        Self { began, consecutive: 0, passed: 0, failed: 0, exits: 0, last_exit: None, seen: BTreeMap::new() }
    }

    fn take(&mut self, probe: Result<(), String>) {
        match probe {
            Ok(()) => {
                self.passed += 1;
                self.consecutive += 1;
            }
            Err(reason) => {
                tracing::debug!("probe failed: {reason}");
                self.failed += 1;
                self.consecutive = 0;
                *self.seen.entry(reason).or_default() += 1;
            }
        }
    }

    fn exited(&mut self, exit: Exit) {
        self.exits += 1;
        self.last_exit = Some(exit);
        self.consecutive = 0;
    }

    /// A container that exits answers no probe, so its exit is the reason, not the unanswered probes.
    async fn out_of_grace(&self, agent: &Agent, started: &Started) -> Failure {
        match self.last_exit {
            Some(exit) => self.gave_up(agent, started, exit).await,
            None => self.never_healthy(agent, started).await,
        }
    }

    async fn gave_up(&self, agent: &Agent, started: &Started, exit: Exit) -> Failure {
        let Exit { code, out_of_memory } = exit;
        let how = if out_of_memory { " (out of memory)" } else { "" };
        let seconds = self.began.elapsed().as_secs();
        let tail = tail(agent, started).await;
        let last = tail.last().map(|l| format!("; last line: {l}")).unwrap_or_default();
        let times = self.exits;
        Failure::permanent(format!(
            "E170 the container exited {code}{how} {times} times in {seconds} s{last}"
        ))
        .with_tail(tail)
    }

    async fn never_healthy(&self, agent: &Agent, started: &Started) -> Failure {
        let what = match &started.probe {
            Some(target) => target.to_string(),
            None => "the container".to_owned(),
        };
        let all = self.passed + self.failed;
        let seen: Vec<String> =
            self.seen.iter().map(|(reason, n)| format!("{reason} on {n} of {all} probes")).collect();
        let seen = if seen.is_empty() {
            "no probe was answered".to_owned()
        } else {
            format!("gave {}", seen.join(", "))
        };
        let grace = started.run.grace.as_secs();
        Failure::permanent(format!(
            "E171 {what} {seen} and never passed {} in a row within {grace} s; \
             look at the app's log, or change [run] health, port or grace in adf.toml",
            started.run.passes
        ))
        .with_tail(tail(agent, started).await)
    }
}

/// The container's last lines; an error here must not hide the one that is being reported.
pub async fn tail(agent: &Agent, started: &Started) -> Vec<String> {
    match agent.world.docker.logs(&started.container, TAIL_LINES).await {
        Ok(lines) => lines,
        Err(error) => vec![format!("(the container's log could not be read: {error})")],
    }
}
