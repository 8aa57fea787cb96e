//! One turn of the supervising loop: look at the container, probe the app, start again what ended.

use std::time::Duration;

use tokio::time::Instant;

use super::{App, Supervisor};
use crate::guard;
use crate::health::{Check, Ended, Turn, probe};
use crate::world::ContainerState;

/// What one look at a container may take: a Docker that hangs must not make the loop miss its watchdog.
const LOOK_LIMIT: Duration = Duration::from_secs(10);

/// Adf.toml's probe timeout may be longer than the loop can wait.
const PROBE_LIMIT: Duration = Duration::from_secs(15);

/// What telling the group may take; it is tried again each minute.
const REPORT_LIMIT: Duration = Duration::from_secs(10);

/// Why the container is not up.
enum Down {
    Ended(Ended),
    Gone,
}

impl Supervisor<'_> {
    pub(super) async fn turn(&mut self) {
        let docker = &self.agent.world.docker;
        let look = tokio::time::timeout(LOOK_LIMIT, docker.state(&self.started.container)).await;
        match look {
            Ok(Ok(ContainerState::Running)) => {
                self.docker_answers().await;
                self.running().await;
            }
            Ok(Ok(ContainerState::Exited { code, out_of_memory })) => {
                self.down(&Down::Ended(Ended { code, out_of_memory })).await;
            }
            Ok(Ok(ContainerState::Gone)) => self.down(&Down::Gone).await,
            Ok(Err(error)) => self.docker_silent(error.to_string()).await,
            Err(_) => {
                let problem = format!("E101 Docker did not answer within {} s", LOOK_LIMIT.as_secs());
                self.docker_silent(problem).await;
            }
        }
        self.ask_for_replacement().await;
    }

    async fn running(&mut self) {
        if self.app != App::Up {
            // Somebody else started it.
            self.app = App::Up;
            self.agent.reporter.next_restart(None);
        }
        self.probe().await;
    }

    async fn probe(&mut self) {
        let seen = tokio::time::timeout(PROBE_LIMIT, probe(self.agent, &self.started)).await;
        let seen = seen.unwrap_or_else(|_| Err(format!("no answer within {} s", PROBE_LIMIT.as_secs())));
        match &seen {
            Ok(()) => self.passed += 1,
            Err(reason) => {
                tracing::debug!("probe failed: {reason}");
                self.failed += 1;
            }
        }
        match self.judge.take(&seen) {
            Turn::Same => {}
            Turn::Healthy => self.healthy(),
            Turn::Unhealthy(reason) => self.unhealthy(format!("E171 {} {reason}", self.started.check)),
        }
    }

    /// Docker's API failing is not the app failing: an app that can be asked is asked, and only that tells.
    async fn docker_silent(&mut self, problem: String) {
        if self.docker_lost.is_none() {
            self.docker_lost = Some(Instant::now());
            tracing::warn!("{problem}; the app is watched without it");
        }
        self.agent.reporter.note_trouble("Docker", problem, None);
        if matches!(self.started.check, Check::Asked(_)) && self.app == App::Up {
            self.probe().await;
        }
    }

    /// A Docker that was started anew has set up its packet filter anew: the guard is looked after at once.
    async fn docker_answers(&mut self) {
        if let Some(lost) = self.docker_lost.take() {
            tracing::info!("Docker answers again after {} s", lost.elapsed().as_secs());
            let look = tokio::time::timeout(LOOK_LIMIT, guard::look(self.agent)).await;
            if look.is_err() {
                tracing::warn!(
                    "the guard before instance metadata was not looked at in time; it is next minute"
                );
            }
        }
    }

    async fn down(&mut self, why: &Down) {
        // A container that stopped while Docker was away was stopped by Docker: no crash, no waiting.
        let docker_did_it = self.docker_lost.is_some();
        self.docker_answers().await;
        let now = Instant::now();
        let again = match self.app {
            App::Down { again } => again,
            App::Up => {
                let delay = if docker_did_it { Duration::ZERO } else { self.backoff.after_end(now) };
                self.fell(why, delay, docker_did_it);
                now + delay
            }
        };
        if now >= again {
            self.start_again(why, now).await;
        }
    }

    fn fell(&mut self, why: &Down, delay: Duration, docker_did_it: bool) {
        self.app = App::Down { again: Instant::now() + delay };
        self.judge.fell();
        self.agent.reporter.next_restart(Some(delay));
        let what = match why {
            Down::Ended(_) if docker_did_it => "E101 Docker restarted and stopped the container".to_owned(),
            Down::Ended(ended) => format!("E170 the container {}", ended.words(&self.started)),
            Down::Gone => "E170 the container was removed by somebody else".to_owned(),
        };
        let when = if delay.is_zero() { "now".to_owned() } else { format!("in {} s", delay.as_secs()) };
        self.unhealthy(format!("{what}; starting it again {when}"));
    }

    async fn start_again(&mut self, why: &Down, now: Instant) {
        let done = match why {
            Down::Ended(_) => {
                let docker = self.agent.world.docker.clone();
                let container = self.started.container.clone();
                let start = async move { docker.start(&container).await.map_err(|e| e.to_string()) };
                self.pulse.during(start).await
            }
            Down::Gone => self.recreate().await,
        };
        match done {
            Ok(()) => {
                self.app = App::Up;
                self.backoff.started(Instant::now());
                self.agent.reporter.next_restart(None);
                self.agent.reporter.update(|receipt| receipt.restarts += 1);
            }
            Err(problem) => {
                let delay = self.backoff.after_end(now);
                tracing::warn!(?delay, "the container was not started: {problem}");
                self.agent.reporter.note_trouble("starting the container", problem, Some(delay));
                self.agent.reporter.next_restart(Some(delay));
                self.app = App::Down { again: Instant::now() + delay };
            }
        }
    }

    /// A worker's group knows nothing of its health; where agent.toml says so it is told after a long time.
    async fn ask_for_replacement(&mut self) {
        let after = self.agent.settings.replace_unhealthy_after;
        let Some(since) = self.unhealthy_since.filter(|_| !after.is_zero() && !self.replacement_asked) else {
            return;
        };
        if since.elapsed() < after {
            return;
        }
        self.replacement_asked = true;
        let order = self.started.order.clone();
        let lifecycle = self.agent.aws(&order.region).await.lifecycle.clone();
        let told = tokio::time::timeout(REPORT_LIMIT, lifecycle.set_unhealthy(&order.instance)).await;
        let told = told.map_err(|_| format!("no answer within {} s", REPORT_LIMIT.as_secs()));
        match told.and_then(|done| done.map_err(|e| e.to_string())) {
            Ok(()) => {
                let text = format!(
                    "W187 unhealthy for {} s: the group was asked to replace this instance",
                    after.as_secs()
                );
                tracing::warn!("{text}");
                self.agent.reporter.notice(text);
            }
            Err(problem) => {
                tracing::warn!("W187 the group was not asked to replace this instance: {problem}");
                // Tried again when the same time has passed once more.
                self.unhealthy_since = Some(Instant::now());
                self.replacement_asked = false;
            }
        }
    }
}
