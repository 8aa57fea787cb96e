//! One instance's machine, from power-on to power-off.
//!
//! It plays init: the agent is started, restarted as its systemd unit says ([`Restarts`]), ended with SIGTERM and,
//! when that takes too long, SIGKILL. A reboot keeps the directory, as a disk does.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::agent::AgentHome;
use super::containers::Docker;

/// `RestartSec=` of `systemd/adf-agent.service`.
const RESTART_DELAY: Duration = Duration::from_secs(5);
/// Its `StartLimitBurst=` and `StartLimitIntervalSec=`: this many starts in this time.
const START_LIMIT: (usize, Duration) = (5, Duration::from_mins(10));
/// What an operating system that shuts down gives its services; EC2 itself waits longer.
const STOP_LIMIT: Duration = Duration::from_secs(30);
/// As much of the console as EC2 keeps.
const CONSOLE_SHOWN: u64 = 64 * 1024;

/// What the machine shall do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Power {
    /// Run, started for this time.
    On {
        boots: u32,
    },
    Off,
}

/// A machine that runs as long as it is not halted.
#[derive(Debug)]
pub(super) struct Machine {
    power: watch::Sender<Power>,
    task: JoinHandle<()>,
    console: PathBuf,
    console_shown: u64,
}

impl Machine {
    pub(super) fn start(home: AgentHome, docker: Docker, boots: u32) -> Self {
        let (power, wanted) = watch::channel(Power::On { boots });
        let console = home.console();
        Self { power, task: tokio::spawn(live(home, docker, wanted)), console, console_shown: 0 }
    }

    /// Reboots the machine unless it was started for this time already.
    pub(super) fn boot(&self, boots: u32) {
        self.power.send_if_modified(|power| {
            let reboot = *power != Power::Off && *power != Power::On { boots };
            if reboot {
                *power = Power::On { boots };
            }
            reboot
        });
    }

    pub(super) fn halt(&self) {
        self.power.send_if_modified(|power| std::mem::replace(power, Power::Off) != Power::Off);
    }

    pub(super) fn is_gone(&self) -> bool {
        self.task.is_finished()
    }

    pub(super) async fn halted(self) {
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a machine failed");
        }
    }

    /// The end of the console, when there is more than last time.
    pub(super) fn new_console(&mut self) -> Option<String> {
        let length = std::fs::metadata(&self.console).ok()?.len();
        if length == self.console_shown {
            return None;
        }
        self.console_shown = length;
        read_end(&self.console, length).ok()
    }
}

fn read_end(path: &Path, length: u64) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    file.seek(SeekFrom::Start(length.saturating_sub(CONSOLE_SHOWN)))?;
    let mut bytes = Vec::new();
    file.take(CONSOLE_SHOWN).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

async fn live(home: AgentHome, docker: Docker, mut wanted: watch::Receiver<Power>) {
    loop {
        run_agent(&home, &mut wanted).await;
        // Nobody holds the switch any more: the runner is gone.
        let power = if wanted.has_changed().is_err() { Power::Off } else { *wanted.borrow_and_update() };
        let cleaned = match power {
            Power::On { .. } => docker.stop_containers(&home.instance).await,
            Power::Off => docker.remove_containers(&home.instance).await,
        };
        if let Err(error) = cleaned {
            tracing::error!(instance = home.instance, %error, "its containers could not be ended");
        }
        match power {
            Power::On { .. } => {
                tracing::info!(instance = home.instance, "machine reboots");
                home.empty_memory();
                home.note("reboot");
            }
            Power::Off => return,
        }
    }
}

/// Keeps the agent running until something else is wanted; then it is stopped.
async fn run_agent(home: &AgentHome, wanted: &mut watch::Receiver<Power>) {
    let mut restarts = Restarts::default();
    loop {
        let ended = match home.start() {
            Ok(mut agent) => tokio::select! {
                ended = agent.wait() => ended,
                _ = wanted.changed() => return stop(&home.instance, agent).await,
            },
            Err(error) => Err(error),
        };
        let delay = restarts.after(ended.as_ref().ok(), Instant::now());
        note_end(home, ended, delay.is_some());
        let restart = async {
            match delay {
                Some(delay) => tokio::time::sleep(delay).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = restart => {}
            _ = wanted.changed() => return,
        }
    }
}

fn note_end(home: &AgentHome, ended: std::io::Result<ExitStatus>, restarted: bool) {
    let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
    let then = if restarted { "it is restarted" } else { "it stays down" };
    tracing::info!(instance = home.instance, how, then, "agent ended");
    home.note(&format!("adf-agent ended ({how}); {then}"));
}

/// What systemd would do about an agent that ended: `Restart=on-failure`, `RestartPreventExitStatus=78`, and no
/// more starts than the limit.
#[derive(Debug, Default)]
struct Restarts(Vec<Instant>);

impl Restarts {
    /// When to start it again; never after success, a permanent failure, or too many starts.
    /// `ended` is none when it could not even be started.
    fn after(&mut self, ended: Option<&ExitStatus>, now: Instant) -> Option<Duration> {
        let (burst, interval) = START_LIMIT;
        self.0.push(now);
        self.0.retain(|start| now - *start < interval);
        let stays_down = ended.is_some_and(|status| status.success() || status.code() == Some(78));
        (!stays_down && self.0.len() < burst).then_some(RESTART_DELAY)
    }
}

async fn stop(instance: &str, mut agent: Child) {
    let pid = agent.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
    if let Some(pid) = pid
        && let Err(error) = kill(pid, Signal::SIGTERM)
    {
        tracing::warn!(instance, %error, "the agent could not be told to stop");
    }
    if tokio::time::timeout(STOP_LIMIT, agent.wait()).await.is_err() {
        tracing::warn!(instance, limit = ?STOP_LIMIT, "the agent did not stop in time and is killed");
        if let Err(error) = agent.kill().await {
            tracing::error!(instance, %error, "the agent could not be killed");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt as _;

    use super::*;

    fn after(code: i32) -> Option<Duration> {
        Restarts::default().after(Some(&ExitStatus::from_raw(code << 8)), Instant::now())
    }

    #[test]
    fn the_agent_is_restarted_as_its_unit_says() {
        assert_eq!([after(0), after(78)], [None, None]);
        assert_eq!([after(1), after(2)], [Some(RESTART_DELAY); 2]);
        let killed = ExitStatus::from_raw(Signal::SIGKILL as i32);
        assert_eq!(Restarts::default().after(Some(&killed), Instant::now()), Some(RESTART_DELAY));
    }

    #[test]
    fn an_agent_that_fails_too_often_stays_down() {
        let (mut restarts, start) = (Restarts::default(), Instant::now());
        let failed = ExitStatus::from_raw(1 << 8);
        let mut after = |minutes: u64| restarts.after(Some(&failed), start + Duration::from_mins(minutes));
        assert_eq!([after(0), after(1), after(2), after(3)], [Some(RESTART_DELAY); 4]);
        assert_eq!(after(4), None);
        assert_eq!(after(12), Some(RESTART_DELAY), "the first ones are long ago");
    }
}
