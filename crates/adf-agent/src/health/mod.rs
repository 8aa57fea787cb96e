//! Stage health: K consecutive passes within the grace period.
//!
//! | file | what |
//! | --- | --- |
//! | `check.rs` | what tells that the app is well, and one look |
//! | `course.rs` | what a boot has seen so far |
//! | `judge.rs` | whether an app that serves still is well |
//! | `ended.rs` | a container that ended, in words |
//!
//! The rule: one failed probe starts the count again. The boot gives up at the third exit, or, once the grace period
//! is over, at the third failed probe, with the container's last lines. Neighbours: `start` made the container,
//! `supervise` goes on probing with the same check.

mod check;
mod course;
mod ended;
mod judge;

use std::time::Duration;

use adf_types::Receipt;
use tokio::time::{Instant, MissedTickBehavior};

pub use check::{Check, probe};
pub use ended::{Ended, times};
pub use judge::{Judge, Turn};

use crate::agent::Agent;
use crate::failure::{Failure, Fault as _, Kind};
use crate::log::TAIL_LINES;
use crate::report::Reached;
use crate::start::Started;
use crate::world::{ContainerState, DockerError, Healthcheck};
use course::Course;

/// A container that exits during boot is started again this soon, and at most so often.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
const EXITS: u32 = 3;

/// Failed probes that a boot bears once its grace period is over.
const FAILED_LATE: u32 = 3;

/// However short adf.toml's interval is: the app needs its time more than the agent its probes.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

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
    let graceful = Instant::now() + started.run.grace;
    let mut ticks = tokio::time::interval(interval(&started));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        look(agent, &started, &mut course, Instant::now() > graceful).await?;
        if course.consecutive >= started.run.passes.max(1) {
            tracing::info!(passes = course.consecutive, failed = course.failed, "healthy");
            return Ok(Healthy { started });
        }
        if course.exits >= EXITS || course.failed_late >= FAILED_LATE {
            return Err(course.give_up(agent, &started).await);
        }
    }
}

/// Time between two probes.
pub fn interval(started: &Started) -> Duration {
    started.run.interval.max(SHORTEST_INTERVAL)
}

/// The container's last lines; an error here must not hide the one that is being reported.
pub async fn tail(agent: &Agent, started: &Started) -> Vec<String> {
    match agent.world.docker.logs(&started.container, TAIL_LINES).await {
        Ok(lines) => lines,
        Err(error) => vec![format!("(the container's log could not be read: {error})")],
    }
}

async fn look(agent: &Agent, started: &Started, course: &mut Course, late: bool) -> Result<(), Failure> {
    let docker = &agent.world.docker;
    match docker.state(&started.container).await {
        Ok(ContainerState::Running) => {
            has_healthcheck(agent, started).await?;
            course.take(probe(agent, started).await, late);
        }
        Ok(ContainerState::Exited { code, out_of_memory }) => {
            let ended = Ended { code, out_of_memory };
            course.exited(ended);
            if course.exits < EXITS {
                tracing::warn!(
                    exits = course.exits,
                    "the container {}; starting it again",
                    ended.words(started)
                );
                tokio::time::sleep(RESTART_PAUSE).await;
                wait_for_docker(agent, docker.start(&started.container).await)?;
            }
        }
        Ok(ContainerState::Gone) => {
            return Err(Failure::permanent("E170 the container was removed by somebody else during boot"));
        }
        Err(error) => wait_for_docker(agent, Err(error))?,
    }
    Ok(())
}

/// A Docker that restarts during a boot comes back; the boot's own time limits the wait.
fn wait_for_docker(agent: &Agent, done: Result<(), DockerError>) -> Result<(), Failure> {
    match done {
        Err(error) if error.kind() == Kind::Transient => {
            tracing::warn!("{error}; trying again");
            agent.reporter.trouble("Docker", &error);
            Ok(())
        }
        other => Ok(other?),
    }
}

/// An image without a HEALTHCHECK would never be healthy; that is told at once.
async fn has_healthcheck(agent: &Agent, started: &Started) -> Result<(), Failure> {
    if started.check != Check::Image {
        return Ok(());
    }
    match agent.world.docker.healthcheck(&started.container).await {
        Ok(Healthcheck::Absent) => Err(Failure::permanent(
            "E174 adf.toml says [run] health = { type = \"docker\" } and the image has no HEALTHCHECK; \
             add one to the Dockerfile, or name another health check",
        )),
        // An error shows in the probe that follows.
        Ok(_) | Err(_) => Ok(()),
    }
}
