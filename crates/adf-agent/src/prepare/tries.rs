//! What is tried next after a build that ended without an image: decided here, done by `build.rs`.
//!
//! | what happened | tried again |
//! | --- | --- |
//! | Docker's connection lost (fault 2) | three times, after Docker answers: 2, 4, 8 s |
//! | no image id, session lost (3, 4) | twice with BuildKit: 2, 4 s; then once with the classic builder, if it can |
//! | no BuildKit at all | at once with the classic builder, if it can |
//! | disk full (6) | once, after room was made |
//! | out of memory (7) | once, after 5 s |
//! | rate limit (9) | after what the registry says, else 30, 60 … 600 s, while the boot has time |
//! | registry down | seven times: 2, 4, 8, 16, 30, 30, 30 s |
//!
//! The rule: whatever is not in this table is not tried again.

use std::time::Duration;

use crate::failure::Failure;
use crate::retry::Schedule;
use crate::world::{BuildError, BuildProblem, Builder};

const fn schedule(what: &'static str, first: u64, max: u64, tries: u32) -> Schedule {
    let (first, max) = (Duration::from_secs(first), Duration::from_secs(max));
    Schedule { what, first, factor: 2.0, max, tries, jitter: false }
}

/// `tries` counts what follows the first build.
const LOST: Schedule = schedule("the build, after its connection was lost", 2, 8, 3);
const BUILDKIT: Schedule = schedule("the build, after BuildKit failed it", 2, 4, 2);
const MEMORY: Schedule = schedule("the build, after it ran out of memory", 5, 5, 1);
const DISK: Schedule = schedule("the build, after room was made", 0, 0, 1);
const REGISTRY: Schedule = schedule("the base image", 2, 30, 7);

/// A limit is the registry's own clock: it is waited for as long as the boot lasts.
const LIMITED: Schedule = schedule("the registry's rate limit", 30, 600, u32::MAX);

/// Registries name waits of microseconds when many ask at once.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// How often each problem has happened, and what the next build is done with.
#[derive(Debug, Clone, Default)]
pub(super) struct BuildTries {
    pub(super) builder: Builder,
    lost: u32,
    buildkit: u32,
    memory: u32,
    disk: u32,
    limited: u32,
    registry: u32,
}

/// What is to be done before the next build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chore {
    Nothing,
    WaitForDocker,
    MakeRoom,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// Build again, `after` so long; `note` says in the log which try of how many it is.
    Again {
        after: Duration,
        chore: Chore,
        note: String,
    },
    Fail(Failure),
}

impl BuildTries {
    /// `needs` is what of the Dockerfile only BuildKit can do; `left` is what remains of the boot's time.
    pub(super) fn after(&mut self, error: BuildError, needs: Option<&str>, left: Duration) -> Next {
        match &error.problem {
            BuildProblem::Lost(_) => count(&mut self.lost, &LOST, Chore::WaitForDocker, error),
            BuildProblem::OutOfMemory { .. } => count(&mut self.memory, &MEMORY, Chore::Nothing, error),
            BuildProblem::DiskFull(_) => count(&mut self.disk, &DISK, Chore::MakeRoom, error),
            BuildProblem::Registry { .. } => count(&mut self.registry, &REGISTRY, Chore::Nothing, error),
            BuildProblem::RateLimited { wait, .. } => {
                let wait = *wait;
                self.limited += 1;
                wait_for_registry(wait, self.limited, left, error)
            }
            BuildProblem::NoImage | BuildProblem::SessionLost(_) if self.builder == Builder::BuildKit => {
                if self.buildkit < BUILDKIT.tries {
                    return count(&mut self.buildkit, &BUILDKIT, Chore::Nothing, error);
                }
                self.fall_back(error, needs)
            }
            BuildProblem::NoBuildKit(_) if self.builder == Builder::BuildKit => self.fall_back(error, needs),
            _ => Next::Fail(error.into()),
        }
    }

    /// The classic builder reads `RUN --mount` and here-documents as something else or not at all: it gets no such
    /// Dockerfile, and no build secrets, which it could only take as build arguments.
    fn fall_back(&mut self, error: BuildError, needs: Option<&str>) -> Next {
        if let Some(needs) = needs {
            let mut failure: Failure = error.into();
            failure.kind = crate::failure::Kind::Permanent;
            failure.reason += "; the classic builder cannot take its place: the Dockerfile uses ";
            failure.reason += needs;
            failure.reason += "; restart Docker or update it";
            return Next::Fail(failure);
        }
        self.builder = Builder::Classic;
        Next::Again {
            after: Duration::ZERO,
            chore: Chore::Nothing,
            note: "building with the classic builder instead".to_owned(),
        }
    }
}

fn count(counted: &mut u32, schedule: &Schedule, chore: Chore, error: BuildError) -> Next {
    if *counted >= schedule.tries {
        return Next::Fail(error.into());
    }
    *counted += 1;
    let note = format!("retry {counted}/{}", schedule.tries);
    Next::Again { after: schedule.delay(*counted), chore, note }
}

fn wait_for_registry(told: Option<Duration>, nth: u32, left: Duration, error: BuildError) -> Next {
    let after = told.map_or_else(|| LIMITED.delay(nth), |told| told.max(SHORTEST_WAIT * nth));
    if after < left {
        return Next::Again { after, chore: Chore::Nothing, note: format!("retry {nth}") };
    }
    let mut failure: Failure = error.into();
    let late = format!(
        "; its next try, in {} s, would be after the boot's time (boot_timeout in agent.toml)",
        after.as_secs()
    );
    failure.reason += &late;
    Next::Fail(failure)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn bare(problem: BuildProblem) -> BuildError {
        BuildError::bare(problem)
    }

    /// The pauses in seconds until it fails, and how it fails.
    fn course(
        tries: &mut BuildTries,
        needs: Option<&str>,
        problem: impl Fn() -> BuildProblem,
    ) -> (Vec<u64>, String) {
        let mut pauses = Vec::new();
        loop {
            match tries.after(bare(problem()), needs, HOUR) {
                Next::Again { after, .. } => pauses.push(after.as_secs()),
                Next::Fail(failure) => return (pauses, failure.reason),
            }
            assert!(pauses.len() < 100, "it never ends");
        }
    }

    #[test]
    fn each_problem_has_its_own_schedule() {
        let lost = course(&mut BuildTries::default(), None, || BuildProblem::Lost("reset".into()));
        assert_eq!(lost.0, [2, 4, 8]);
        let memory = || BuildProblem::OutOfMemory { victim: None, host_ram: None };
        assert_eq!(course(&mut BuildTries::default(), None, memory).0, [5]);
        assert_eq!(course(&mut BuildTries::default(), None, || BuildProblem::DiskFull("x".into())).0, [0]);
        let down = || BuildProblem::Registry { image: "x".into(), message: "503".into() };
        assert_eq!(course(&mut BuildTries::default(), None, down).0, [2, 4, 8, 16, 30, 30, 30]);
        let denied = || BuildProblem::BaseImage { image: "x".into(), message: "denied".into() };
        assert_eq!(course(&mut BuildTries::default(), None, denied).0, [] as [u64; 0]);
    }

    #[test]
    fn fault_04_a_lost_session_is_tried_twice_then_the_classic_builder_if_it_can() {
        let lost = || BuildProblem::SessionLost("no active sessions".into());
        let mut tries = BuildTries::default();
        assert_eq!(course(&mut tries, None, lost).0, [2, 4, 0]);
        assert_eq!(tries.builder, Builder::Classic);
        let mut tries = BuildTries::default();
        let (pauses, reason) = course(&mut tries, Some("RUN --mount"), lost);
        assert_eq!((pauses.as_slice(), tries.builder), ([2, 4].as_slice(), Builder::BuildKit));
        assert_eq!(
            reason,
            "E104 BuildKit lost the build's session (not a registry fault): no active sessions; the classic builder \
             cannot take its place: the Dockerfile uses RUN --mount; restart Docker or update it"
        );
    }

    #[test]
    fn fault_09_a_rate_limit_is_waited_for_as_long_as_the_registry_says_while_the_boot_has_time() {
        let limited =
            |wait| BuildProblem::RateLimited { image: "node:22".into(), message: "429".into(), wait };
        let after = |tries: &mut BuildTries, wait, left| match tries.after(bare(limited(wait)), None, left) {
            Next::Again { after, .. } => Ok(after),
            Next::Fail(failure) => Err(failure.reason),
        };
        let mut tries = BuildTries::default();
        let waits: Vec<u64> =
            (0..7).map(|_| after(&mut tries, None, HOUR).expect("in time").as_secs()).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 600, 600]);
        let told = Some(Duration::from_secs(47));
        assert_eq!(after(&mut BuildTries::default(), told, HOUR), Ok(Duration::from_secs(47)));
        let tiny = Some(Duration::from_micros(447));
        assert_eq!(after(&mut BuildTries::default(), tiny, HOUR), Ok(SHORTEST_WAIT));
        let late = after(&mut BuildTries::default(), None, Duration::from_secs(20)).expect_err("too late");
        assert_eq!(
            late,
            "E109 the registry's rate limit for node:22 is reached: 429; use a mirror or log in; its next try, in 30 s, \
             would be after the boot's time (boot_timeout in agent.toml)"
        );
    }
}
