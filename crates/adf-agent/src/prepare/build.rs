//! Fetch and build: pass after pass over the archive, until one of them ends in an image or nothing more is to be tried.
//!
//! Neighbours: `pass.rs` is one pass, `tries.rs` decides what is tried next, `room.rs` looks after the disk. The rule:
//! every pass starts from the beginning, behind the guard, and with room on the disk.

use std::time::Duration;

use super::pass::{Ended, access, one_pass};
use super::tries::{BuildTries, Chore, Next};
use super::{ConfigSoon, room};
use crate::agent::Agent;
use crate::archive::{ArchiveError, Known, Settings, StreamError};
use crate::claim::{Claimed, DOCKER_SCHEDULE};
use crate::failure::Failure;
use crate::guard;
use crate::retry::retry;
use crate::world::{BuildProblem, Builder};

/// How often a cut download is started from the beginning, and the pauses between: 2, 4, 8, 16 s. Other trouble with
/// the archive gets what [`StreamError::passes`] says.
const DOWNLOADS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_secs(2);

/// What was built, and with what.
pub(super) struct Built {
    pub(super) settings: Settings,
    pub(super) builder: Builder,
}

/// What is different in the next pass.
#[derive(Default)]
struct Course {
    tries: BuildTries,
    /// Files of the archive that a pass met too late.
    known: Known,
    downloads: u32,
}

pub(super) async fn fetch_and_build(
    agent: &Agent,
    claimed: &Claimed,
    config: &ConfigSoon<'_>,
) -> Result<Built, Failure> {
    let access = access(&claimed.order, config).await?;
    let mut course = Course::default();
    loop {
        guard::stand(agent).await?;
        room::for_an_image(agent, claimed).await?;
        let ended = match one_pass(agent, claimed, config, &access, &course.known, course.tries.builder).await
        {
            Ok(settings) => return Ok(Built { settings, builder: course.tries.builder }),
            Err(ended) => ended,
        };
        if course.learn(&ended) {
            continue;
        }
        let failure = Failure::from(&ended);
        match course.next(agent, ended).await {
            Next::Fail(failure) => return Err(failure),
            Next::Again { after, chore, note } => {
                tracing::warn!(?after, "{failure}; {note}");
                agent.reporter.trouble("fetch and build", &failure);
                tokio::time::sleep(after).await;
                errand(agent, claimed, chore).await?;
            }
        }
    }
}

async fn errand(agent: &Agent, claimed: &Claimed, chore: Chore) -> Result<(), Failure> {
    match chore {
        Chore::Nothing => {}
        Chore::WaitForDocker => {
            let docker = &agent.world.docker;
            retry(&DOCKER_SCHEDULE, &agent.reporter, async || docker.ping().await).await?;
        }
        Chore::MakeRoom => room::after_full(agent, claimed).await,
    }
    Ok(())
}

impl Course {
    /// A pass that failed only because something was not known yet: the next one knows it.
    fn learn(&mut self, ended: &Ended) -> bool {
        match ended {
            Ended::Archive(StreamError::Archive(ArchiveError::Late(known))) if **known != self.known => {
                tracing::info!(
                    "a file stands behind what it decides about; reading the archive again, knowing it"
                );
                self.known = (**known).clone();
                true
            }
            _ => false,
        }
    }

    async fn next(&mut self, agent: &Agent, ended: Ended) -> Next {
        match ended {
            Ended::Other(failure) => Next::Fail(failure),
            Ended::NotOpened(error) => Next::Fail(error.into()),
            Ended::Archive(error) => self.download_again(error),
            Ended::Build { error, needs } => {
                let full = matches!(error.problem, BuildProblem::DiskFull(_));
                let next = self.tries.after(error, needs, agent.reporter.left());
                if self.tries.builder == Builder::Classic {
                    // It reads another ignore file where there are two.
                    self.known.ignore = None;
                }
                match next {
                    Next::Fail(mut failure) if full => {
                        let numbers = room::numbers(agent).await.map(|numbers| format!("; {numbers}"));
                        failure.reason.push_str(&numbers.unwrap_or_default());
                        Next::Fail(failure)
                    }
                    next => next,
                }
            }
        }
    }

    fn download_again(&mut self, error: StreamError) -> Next {
        self.downloads += 1;
        if self.downloads >= DOWNLOADS.min(error.passes()) {
            return Next::Fail(error.into());
        }
        let after = FIRST_PAUSE * 2_u32.pow(self.downloads - 1);
        let note = format!("starting over, {} of {DOWNLOADS}", self.downloads + 1);
        Next::Again { after, chore: Chore::Nothing, note }
    }
}
