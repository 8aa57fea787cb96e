//! `cargo xtask demo`: one whole deploy on one machine, with real instances on real Docker, under load.
//!
//! Neighbours: [`story`] is what happens, [`load`] the requests meanwhile, [`checks`] and [`tables`] the report,
//! [`repository`], [`crate::local`] and [`crate::programs`] what it stands on, [`leftovers`] what it must not leave. The rules:
//! everything shown happened; exit code 0 only if every check holds; nothing stays behind, whatever happens.

mod checks;
mod leftovers;
mod load;
mod processes;
mod repository;
mod story;
mod tables;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::ctl::Ctl;
use crate::docker::{self, Docker};
use crate::failure::{Failure, Result, While};
use crate::local::Local;
use crate::programs::{self, Programs};
use crate::{apt, process};
use repository::Repository;
use story::Told;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Leave everything running at the end, until Ctrl-C
    #[arg(long)]
    keep: bool,
}

/// What the story stands on, and what is taken away at its end.
struct Stage {
    folder: TempDir,
    local: Local,
    /// The program, for whoever wants to go on by hand.
    ctl: PathBuf,
}

pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let mut interrupts = Interrupts::listen()?;
    apt::ensure("git", &["git"], || process::on_path("git"))?;
    let docker = docker::ensure().await?;
    let told = show(options, &docker, &mut interrupts).await;
    docker.stop()?;
    told
}

async fn show(options: &Options, docker: &Docker, interrupts: &mut Interrupts) -> Result<ExitCode> {
    let programs = programs::programs()?;
    let started = Instant::now();
    let (stage, ctl, repository) = set(&programs).await?;
    // A task of its own, so that even a panic in it ends in the clean-up.
    let mut telling = tokio::spawn(story::tell(ctl, repository));
    let told = tokio::select! {
        told = &mut telling => told.unwrap_or_else(|broke| Err(Failure::new(format!("the demo broke: {broke}")))),
        name = interrupts.next() => {
            telling.abort();
            let _ = telling.await;
            Err(Failure::new(format!("{name}; cleaning up")))
        }
    };
    let good = report(&told, &stage);
    if options.keep && told.is_ok() {
        keep(&stage, interrupts).await;
    }
    let (before, left) = strike(stage, docker, told.as_ref().ok()).await?;
    println!("{} nothing left behind: {}", mark(before > 0 && left.is_empty()), evidence(before, &left));
    println!("{:.0} s from the end of the build to here", started.elapsed().as_secs_f64());
    Ok(if good && before > 0 && left.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn set(programs: &Programs) -> Result<(Stage, Ctl, Repository)> {
    let folder =
        tempfile::Builder::new().prefix("adf-demo-").tempdir().while_("making a temporary folder")?;
    let repository = Repository::create(folder.path().join("web"), &programs.hello)?;
    let local = Local::start(programs, folder.path()).await?;
    println!("adf-local is up. These lines point any AWS tool at it:");
    for line in &local.lines {
        println!("{line}");
    }
    let ctl = Ctl {
        program: programs.ctl.clone(),
        folder: repository.folder.clone(),
        environment: local.environment(),
    };
    Ok((Stage { folder, local, ctl: programs.ctl.clone() }, ctl, repository))
}

/// Prints what came of the story; whether every check holds.
fn report(told: &Result<Told>, stage: &Stage) -> bool {
    match told {
        Ok(told) => {
            let checks = checks::all(told);
            tables::print(told, processes::agents_peak(stage.folder.path()), &checks);
            checks.iter().all(|check| check.holds)
        }
        Err(failure) => {
            eprintln!("\nerror: {failure}{}", stage.local.log_tail());
            false
        }
    }
}

async fn keep(stage: &Stage, interrupts: &mut Interrupts) {
    println!("\nEverything keeps running until Ctrl-C. In another terminal:");
    for line in &stage.local.lines {
        println!("  {line}");
    }
    println!("  cd {}", stage.folder.path().join("web").display());
    println!("  {} status", stage.ctl.display());
    interrupts.next().await;
}

/// Takes everything down and returns how many things there were, and which of them are left.
async fn strike(stage: Stage, docker: &Docker, told: Option<&Told>) -> Result<(usize, Vec<String>)> {
    let Stage { folder, local, .. } = stage;
    let image_prefix = local.image_prefix()?;
    let mut ports = vec![local.endpoint()?];
    ports.extend(told.map(|told| told.balancer));
    let look = || leftovers::look(&docker.engine, &image_prefix, folder.path(), &ports);
    let before = look().await?.len();
    let stopped = local.stop().await;
    let mut left = look().await?;
    left.extend(stopped.err().map(|failure| failure.to_string()));
    let path = folder.path().to_owned();
    folder.close().while_(format_args!("removing {}", path.display()))?;
    Ok((before, left))
}

fn mark(holds: bool) -> &'static str {
    if holds { "✓" } else { "✗" }
}

fn evidence(before: usize, left: &[String]) -> String {
    if left.is_empty() {
        format!("all {before} processes, containers, images and ports of the demo are gone")
    } else {
        left.join("; ")
    }
}

/// What asks the demo to stop: Ctrl-C, a supervisor, the end of the terminal.
struct Interrupts([Signal; 3]);

impl Interrupts {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).while_("listening for signals");
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(listen);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn next(&mut self) -> &'static str {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => "interrupted",
            _ = terminate.recv() => "told to terminate",
            _ = hangup.recv() => "the terminal is gone",
        }
    }
}
