//! Starting Docker where it is installed but does not run, and stopping what was started.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::Engine;
use crate::failure::{Failure, Result, While};
use crate::{apt, process, workspace};

/// dockerd starts in about two seconds; on a machine that starts it for the first time, in ten.
const START: Duration = Duration::from_mins(1);

/// dockerd stops its containers first, ten seconds for each of those that ignore SIGTERM.
const STOP: Duration = Duration::from_secs(40);

const POLL: Duration = Duration::from_millis(200);

/// How Docker was started, and so how it is stopped.
#[derive(Debug)]
pub(crate) enum Started {
    BySystemd,
    ByHand(Child),
}

pub(super) async fn start(engine: &Engine) -> Result<Started> {
    if Path::new("/run/systemd/system").is_dir() {
        eprintln!("Docker does not run; starting it: systemctl start docker");
        process::run(apt::as_root("systemctl")?.args(["start", "docker"]))?;
        open_socket_to_us(engine)?;
        wait(engine, None, Path::new("journalctl -u docker")).await?;
        return Ok(Started::BySystemd);
    }
    let log = log_file()?;
    eprintln!("Docker does not run and neither does systemd; starting dockerd, log in {}", log.display());
    let mut child = dockerd(&log)?;
    match wait(engine, Some(&mut child), &log).await {
        Ok(()) => Ok(Started::ByHand(child)),
        Err(failure) => {
            Started::ByHand(child).stop()?;
            Err(failure)
        }
    }
}

impl Started {
    pub(crate) fn stop(self) -> Result<()> {
        eprintln!("stopping Docker, which did not run before");
        match self {
            Self::BySystemd => {
                process::run(apt::as_root("systemctl")?.args(["stop", "docker.socket", "docker"]))
            }
            Self::ByHand(child) => stop_daemon(child),
        }
    }
}

fn stop_daemon(mut child: Child) -> Result<()> {
    let pid = child.id();
    let process = Pid::from_raw(pid.try_into().while_("the process id of dockerd")?);
    if kill(process, Signal::SIGTERM).is_err() {
        // sudo runs as root, which we may not signal; root may.
        process::run(apt::as_root("kill")?.arg(pid.to_string()))?;
    }
    let deadline = Instant::now() + STOP;
    while child.try_wait().while_("waiting for dockerd")?.is_none() {
        if Instant::now() > deadline {
            return Err(Failure::new(format!(
                "dockerd (process {pid}) still runs {} s after SIGTERM",
                STOP.as_secs()
            )));
        }
        std::thread::sleep(POLL);
    }
    Ok(())
}

/// dockerd in a process group of its own, so that a Ctrl-C at the terminal does not take it away from under
/// the containers that are to be removed.
fn dockerd(log: &Path) -> Result<Child> {
    let mut command = apt::as_root("dockerd")?;
    command.env("PATH", format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default()));
    if !nix::unistd::geteuid().is_root() {
        command.arg(format!("--group={}", nix::unistd::getgid()));
    }
    let out = File::create(log).while_(log.display())?;
    let err = out.try_clone().while_(log.display())?;
    command.stdin(std::process::Stdio::null()).stdout(out).stderr(err).process_group(0);
    command.spawn().while_("starting dockerd")
}

async fn wait(engine: &Engine, mut child: Option<&mut Child>, log: &Path) -> Result<()> {
    let deadline = Instant::now() + START;
    loop {
        let Err(refused) = engine.version().await else { return Ok(()) };
        let ended = match child.as_deref_mut() {
            Some(child) => child.try_wait().while_("waiting for dockerd")?,
            None => None,
        };
        if ended.is_some() || Instant::now() > deadline {
            return Err(Failure::new(format!(
                "{refused}, {} s after its start{}",
                START.as_secs(),
                tail(log)
            ))
            .hint(format!("its log: {}", log.display())));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// A fresh installation's socket belongs to a group we are not yet in; whoever may sudo may use it.
fn open_socket_to_us(engine: &Engine) -> Result<()> {
    if !engine.denies_us() {
        return Ok(());
    }
    eprintln!("giving your group the use of Docker's socket until it is restarted");
    let group = nix::unistd::getgid().to_string();
    process::run(apt::as_root("chgrp")?.args([group.as_str(), "/var/run/docker.sock"]))
}

fn log_file() -> Result<PathBuf> {
    let folder = workspace::metadata()?.target_directory;
    fs::create_dir_all(&folder).while_(folder.display())?;
    Ok(folder.join("dockerd.log"))
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    std::iter::once("")
        .chain(lines[lines.len().saturating_sub(5)..].iter().copied())
        .collect::<Vec<_>>()
        .join("\n  ")
}
