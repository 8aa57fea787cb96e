//! `cargo xtask test`: everything that says whether this repository is well.
//!
//! Neighbours: [`tools`] what it needs on the machine, [`counts`] how many tests there were. The rule: every
//! stage runs, whatever failed before it; the last line is `N passed, N failed`; a test that was skipped has
//! failed. To add a stage: a line in [`stages`].

mod counts;
mod tools;

use std::process::ExitCode;
use std::time::Instant;

use crate::failure::Result;
use crate::{docker, fuzz, process, tidy, workspace};
use counts::Counts;

/// Long enough to reach every branch that the seeds lead to, short enough to run at every change.
const FUZZ_SECONDS: u32 = 60;

/// A named part of the check, and what it came to.
struct Stage {
    name: &'static str,
    run: fn() -> Result<Counts>,
}

/// Quick ones first; licences after the build, which fetched what they are read from.
const STAGES: [Stage; 9] = [
    Stage { name: "format", run: format },
    Stage { name: "tidy", run: || tidy::run().map(|()| Counts::ONE_PASSED) },
    Stage { name: "build", run: build },
    Stage { name: "clippy", run: clippy },
    Stage { name: "licences", run: licences },
    Stage { name: "example", run: example },
    Stage { name: "tests", run: counts::nextest },
    Stage { name: "doc tests", run: counts::doc_tests },
    Stage { name: "fuzz", run: || fuzz::for_seconds(FUZZ_SECONDS).map(|()| Counts::ONE_PASSED) },
];

pub(crate) async fn run() -> Result<ExitCode> {
    let mut ledger = Ledger::default();
    ledger.stage("tools", || tools::ensure().map(|()| Counts::default()));
    let started = Instant::now();
    let docker = docker::ensure().await;
    let docker = ledger.note("docker", started, docker.map(|docker| (Counts::default(), Some(docker))));
    for stage in STAGES {
        ledger.stage(stage.name, stage.run);
    }
    if let Some(docker) = docker {
        ledger.stage("docker stop", || docker.stop().map(|()| Counts::default()));
    }
    Ok(ledger.close())
}

fn format() -> Result<Counts> {
    process::run(workspace::cargo("fmt").args(["--all", "--check"]))?;
    let example = workspace::root().join("docs/examples/hello");
    process::run(workspace::cargo("fmt").arg("--check").current_dir(example))?;
    process::run(workspace::cargo("fmt").arg("--check").current_dir(workspace::root().join("fuzz")))?;
    Ok(Counts::ONE_PASSED)
}

/// The binaries, which tests and examples run as processes.
fn build() -> Result<Counts> {
    process::run(&mut workspace::cargo_build_programs())?;
    Ok(Counts::ONE_PASSED)
}

fn clippy() -> Result<Counts> {
    let options =
        ["--quiet", "--locked", "--workspace", "--all-targets", "--keep-going", "--", "-D", "warnings"];
    process::run(workspace::cargo("clippy").args(options))?;
    Ok(Counts::ONE_PASSED)
}

fn licences() -> Result<Counts> {
    let options = ["--offline", "--log-level", "error", "check", "bans", "licenses", "sources"];
    process::run(workspace::cargo("deny").args(options))?;
    Ok(Counts::ONE_PASSED)
}

/// The example app is a repository of its own: its lints and its tests. Its host is named so that the flags of
/// its static binary stay away from macros.
fn example() -> Result<Counts> {
    let folder = workspace::root().join("docs/examples/hello");
    let host = workspace::host()?;
    let target = workspace::metadata()?.target_directory.join("hello");
    let cargo = |subcommand: &str| {
        let mut command = workspace::cargo(subcommand);
        command.current_dir(&folder).env("CARGO_TARGET_DIR", &target);
        command.args(["--quiet", "--locked", "--target", &host]);
        command
    };
    process::run(cargo("clippy").args(["--all-targets", "--", "-D", "warnings"]))?;
    Ok(Counts::ONE_PASSED + counts::cargo_test(&mut cargo("test"))?)
}

/// What each stage came to, and how long it took.
#[derive(Default)]
struct Ledger {
    total: Counts,
    lines: Vec<String>,
}

impl Ledger {
    fn stage(&mut self, name: &str, run: impl FnOnce() -> Result<Counts>) {
        eprintln!("── {name}");
        let started = Instant::now();
        let done = run().map(|counts| (counts, None::<()>));
        self.note(name, started, done);
    }

    /// Writes a stage down; a stage that failed counts as one failure.
    fn note<T>(&mut self, name: &str, started: Instant, done: Result<(Counts, Option<T>)>) -> Option<T> {
        let seconds = started.elapsed().as_secs_f64();
        let (counts, value) = done.unwrap_or_else(|failure| {
            eprintln!("error: {failure}");
            (Counts { passed: 0, failed: 1 }, None)
        });
        let mark = if counts.failed == 0 { "ok" } else { "FAILED" };
        self.lines.push(format!("{name:<12} {mark:<6} {seconds:>7.1} s  {counts}"));
        self.total = self.total + counts;
        value
    }

    fn close(self) -> ExitCode {
        eprintln!("── all stages");
        for line in &self.lines {
            eprintln!("{line}");
        }
        println!("{}", self.total);
        if self.total.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
