//! Stage supervise: keep the app running and say how it does, until the agent is to end.
//!
//! | file | what |
//! | --- | --- |
//! | `turn.rs` | one turn of the loop: look at the container, probe, restart |
//! | `backoff.rs` | when a container that ended is started again |
//! | `reload.rs` | SIGHUP: the config read anew, the container replaced or kept |
//! | `drain.rs` | the end: the app finishes its requests, the group is told |
//! | `pulse.rs` | the watchdog |
//!
//! The rule: the app keeps running when AWS, metadata or Docker's API do not answer; only a container that is known
//! to have ended is started again. The loop never waits without a limit, and sleeps between its turns.

mod backoff;
mod drain;
mod pulse;
mod reload;
mod turn;

use std::convert::Infallible;
use std::time::Duration;

use adf_types::InstanceState;
use tokio::time::Instant;

pub use drain::{LAST_RECEIPT, stop_all};

use crate::agent::Agent;
use crate::health::{Judge, interval};
use crate::notice::Leaving;
use crate::ready::Serving;
use crate::start::Started;
use crate::upkeep::upkeep;
use crate::world::systemd;
use backoff::Backoff;
use pulse::Pulse;

/// While an operator watches a deploy the receipt follows closely; later it is a heartbeat.
const CLOSE_WATCH: Duration = Duration::from_mins(15);
const CLOSE_PACE: Duration = Duration::from_secs(2);
const CALM_PACE: Duration = Duration::from_mins(1);

/// Then the app is probed no more often than this, as a load balancer would, while it is well.
const CALM_INTERVAL: Duration = Duration::from_secs(5);

/// Supervises until `leaving` resolves, then drains and stops the container.
pub async fn supervise(agent: &Agent, serving: Serving, leaving: impl Future<Output = Leaving>) {
    agent.reporter.supervising();
    let order = serving.started.order.clone();
    let mut supervisor = Supervisor::new(agent, serving.started);
    let why = tokio::select! {
        biased;
        why = leaving => why,
        never = Box::pin(upkeep(agent, &order)) => match never {},
        never = supervisor.run() => match never {},
    };
    drain::drain(agent, &supervisor.started, &why).await;
}

/// Where the container is, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum App {
    Up,
    /// It ended, or is gone; it is started at this time.
    Down {
        again: Instant,
    },
}

struct Supervisor<'a> {
    agent: &'a Agent,
    started: Started,
    pulse: Pulse,
    /// When the next turn is due.
    next: Instant,
    since: Instant,
    published: Instant,
    passed: u64,
    failed: u64,
    judge: Judge,
    app: App,
    backoff: Backoff,
    /// Since when Docker does not answer.
    docker_lost: Option<Instant>,
    unhealthy_since: Option<Instant>,
    replacement_asked: bool,
}

impl<'a> Supervisor<'a> {
    fn new(agent: &'a Agent, started: Started) -> Self {
        let now = Instant::now();
        Self {
            agent,
            judge: Judge::new(started.run.passes),
            started,
            pulse: Pulse::of_systemd(),
            next: now,
            since: now,
            published: now,
            passed: 0,
            failed: 0,
            app: App::Up,
            backoff: Backoff::new(now),
            docker_lost: None,
            unhealthy_since: None,
            replacement_asked: false,
        }
    }

    async fn run(&mut self) -> Infallible {
        let agent = self.agent;
        loop {
            self.while_turning(agent.reload.notified()).await;
            // Boxed: the rare and long way must not make the usual one larger.
            Box::pin(self.reload()).await;
        }
    }

    /// The loop: turns until `step` is done. Whatever is not about the container itself is awaited here.
    async fn while_turning<T>(&mut self, step: impl Future<Output = T>) -> T {
        let mut step = std::pin::pin!(step);
        loop {
            tokio::select! {
                biased;
                done = &mut step => return done,
                () = tokio::time::sleep_until(self.next) => {
                    let began = Instant::now();
                    self.turn().await;
                    self.heartbeat();
                    self.next = self.next_turn(began);
                }
                () = self.pulse.due() => {}
            }
            self.pulse.beat();
        }
    }

    fn next_turn(&self, began: Instant) -> Instant {
        let interval = interval(&self.started);
        let calm = self.since.elapsed() >= CLOSE_WATCH && !self.judge.is_unhealthy();
        let next = began + if calm { interval.max(CALM_INTERVAL) } else { interval };
        match self.app {
            App::Down { again } => next.min(again).max(Instant::now()),
            App::Up => next.max(Instant::now()),
        }
    }

    fn unhealthy(&mut self, reason: String) {
        tracing::warn!("unhealthy: {reason}");
        systemd::status(&format!("unhealthy: {reason}"));
        self.unhealthy_since.get_or_insert_with(Instant::now);
        self.publish(Some(InstanceState::Unhealthy { reason }));
    }

    fn healthy(&mut self) {
        tracing::info!("healthy again");
        self.unhealthy_since = None;
        self.replacement_asked = false;
        self.serving();
    }

    fn serving(&mut self) {
        let order = &self.started.order;
        systemd::status(&format!("serving {} {}", order.app, order.release));
        self.publish(Some(InstanceState::Serving));
    }

    /// Publishes the counts when it is time to.
    fn heartbeat(&mut self) {
        let pace = if self.since.elapsed() < CLOSE_WATCH { CLOSE_PACE } else { CALM_PACE };
        if self.published.elapsed() >= pace {
            self.publish(None);
        }
    }

    fn publish(&mut self, state: Option<InstanceState>) {
        self.published = Instant::now();
        let (passed, failed) = (self.passed, self.failed);
        self.agent.reporter.update(|receipt| {
            receipt.probes.passed = passed;
            receipt.probes.failed = failed;
            if let Some(state) = state {
                receipt.state = state;
            }
        });
    }
}
