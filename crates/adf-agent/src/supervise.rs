//! Stage supervise: keep the app running and say how it does, until the agent is told to stop.
//!
//! The rule: the app keeps running when AWS or Docker's API do not answer; only a container that is known to
//! have exited is started again, after 10 s, doubling to 5 minutes.

use std::time::Duration;

use adf_types::InstanceState;
use tokio::time::{Instant, MissedTickBehavior};

use crate::agent::Agent;
use crate::health::probe;
use crate::ready::Serving;
use crate::world::{ContainerState, systemd};

/// Back-off between restarts (fault 37): 10, 20, 40 … 300 s, from the start again after 10 good minutes.
const FIRST_RESTART: Duration = Duration::from_secs(10);
const LAST_RESTART: Duration = Duration::from_mins(5);
const GOOD_AFTER: Duration = Duration::from_mins(10);

/// Consecutive failed probes that make the receipt say Unhealthy.
const FAILED_PROBES: u32 = 3;

/// While an operator watches a deploy the receipt follows closely; later it is a heartbeat.
const CLOSE_WATCH: Duration = Duration::from_mins(15);
const CLOSE_PACE: Duration = Duration::from_secs(2);
const CALM_PACE: Duration = Duration::from_mins(1);

/// What a receipt may be late by when the agent ends.
pub const LAST_RECEIPT: Duration = Duration::from_secs(5);

/// Supervises until `stop` resolves, then drains and stops the container.
pub async fn supervise(agent: &Agent, serving: Serving, stop: impl Future<Output = ()>) {
    let mut supervisor = Supervisor::new(agent, &serving);
    tokio::select! {
        () = stop => {}
        () = supervisor.run() => {}
    }
    drain(agent, &serving).await;
}

async fn drain(agent: &Agent, serving: &Serving) {
    let grace = serving.started.run.stop_grace;
    tracing::info!(?grace, "told to stop: stopping the container");
    systemd::stopping();
    agent.reporter.publish(InstanceState::Draining);
    if let Err(error) = agent.world.docker.stop(&serving.started.container, grace).await {
        tracing::warn!("the container was not stopped: {error}");
    }
    agent.reporter.publish(InstanceState::Stopped);
    agent.reporter.flush(LAST_RECEIPT).await;
}

struct Supervisor<'a> {
    agent: &'a Agent,
    serving: &'a Serving,
    since: Instant,
    published: Instant,
    passed: u64,
    failed: u64,
    /// Failed probes in a row.
    failing: u32,
    unhealthy: bool,
    backoff: Duration,
    restarted: Instant,
}

impl<'a> Supervisor<'a> {
    fn new(agent: &'a Agent, serving: &'a Serving) -> Self {
        let now = Instant::now();
        Self {
            agent,
            serving,
            since: now,
            published: now,
            passed: 0,
            failed: 0,
            failing: 0,
            unhealthy: false,
            backoff: FIRST_RESTART,
            restarted: now,
        }
    }

    async fn run(&mut self) {
        let mut ticks =
            tokio::time::interval(self.serving.started.run.interval.max(Duration::from_millis(10)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            match self.agent.world.docker.state(&self.serving.started.container).await {
                Ok(ContainerState::Exited { code, out_of_memory }) => {
                    let how = if out_of_memory { " (out of memory)" } else { "" };
                    self.restart(format!("the container exited {code}{how}")).await;
                }
                Ok(ContainerState::Gone) => self.restart("the container is gone".to_owned()).await,
                // Docker's API failing is not the app failing: the probe tells.
                Ok(ContainerState::Running) | Err(_) => self.probe().await,
            }
            self.heartbeat();
        }
    }

    async fn probe(&mut self) {
        match probe(self.agent, &self.serving.started).await {
            Ok(()) => {
                self.passed += 1;
                self.failing = 0;
                if self.unhealthy {
                    self.unhealthy = false;
                    tracing::info!("healthy again");
                    self.publish(Some(InstanceState::Serving));
                }
            }
            Err(reason) => {
                self.failed += 1;
                self.failing += 1;
                if self.failing == FAILED_PROBES {
                    self.unhealthy(format!("{FAILED_PROBES} probes in a row failed: {reason}"));
                }
            }
        }
    }

    fn unhealthy(&mut self, reason: String) {
        tracing::warn!("unhealthy: {reason}");
        systemd::status(&format!("unhealthy: {reason}"));
        self.unhealthy = true;
        self.publish(Some(InstanceState::Unhealthy { reason }));
    }

    async fn restart(&mut self, reason: String) {
        if self.restarted.elapsed() >= GOOD_AFTER {
            self.backoff = FIRST_RESTART;
        }
        self.unhealthy(format!("{reason}; starting it again in {} s", self.backoff.as_secs()));
        tokio::time::sleep(self.backoff).await;
        self.backoff = (self.backoff * 2).min(LAST_RESTART);
        self.restarted = Instant::now();
        match self.agent.world.docker.start(&self.serving.started.container).await {
            Ok(()) => self.agent.reporter.update(|receipt| receipt.restarts += 1),
            Err(error) => tracing::warn!("the container was not started: {error}"),
        }
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
