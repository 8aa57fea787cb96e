//! One instance's machine, from power-on to power-off.
//!
//! It plays init: the agent is started, restarted as its systemd unit says ([`restart_delay`]), ended with SIGTERM
//! and, when that takes too long, SIGKILL. A reboot keeps the directory, as a disk does.

use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::agent::AgentHome;
use super::containers::Docker;

/// `RestartSec=` of the agent's unit.
const RESTART_DELAY: Duration = Duration::from_secs(2);
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
            Power::On { .. } => home.note("reboot"),
            Power::Off => return,
        }
    }
}

/// Keeps the agent running until something else is wanted; then it is stopped.
async fn run_agent(home: &AgentHome, wanted: &mut watch::Receiver<Power>) {
    loop {
        let delay = match home.start() {
            Ok(mut agent) => tokio::select! {
                ended = agent.wait() => after(home, ended),
                _ = wanted.changed() => return stop(&home.instance, agent).await,
            },
            Err(error) => {
                home.note(&format!("adf-agent could not be started: {error}"));
                Some(RESTART_DELAY)
            }
        };
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

fn after(home: &AgentHome, ended: std::io::Result<ExitStatus>) -> Option<Duration> {
    let delay = ended.as_ref().ok().map_or(Some(RESTART_DELAY), |status| restart_delay(*status));
    let how = ended.map_or_else(|error| error.to_string(), |status| status.to_string());
    let then = if delay.is_some() { "it is restarted" } else { "it stays down" };
    tracing::info!(instance = home.instance, how, then, "agent ended");
    home.note(&format!("adf-agent ended ({how}); {then}"));
    delay
}

/// `Restart=on-failure`, `RestartPreventExitStatus=78`: never after success or a permanent failure.
fn restart_delay(status: ExitStatus) -> Option<Duration> {
    let stays_down = status.success() || status.code() == Some(78);
    (!stays_down).then_some(RESTART_DELAY)
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

    #[test]
    fn the_agent_is_restarted_as_its_unit_says() {
        let exited = |code: i32| restart_delay(ExitStatus::from_raw(code << 8));
        assert_eq!([exited(0), exited(78)], [None, None]);
        assert_eq!([exited(1), exited(2)], [Some(RESTART_DELAY); 2]);
        assert_eq!(restart_delay(ExitStatus::from_raw(Signal::SIGKILL as i32)), Some(RESTART_DELAY));
    }
}
