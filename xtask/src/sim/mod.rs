//! `cargo xtask sim`: plays deploys in virtual time, seed after seed, and tells what was done to them and what was
//! checked.
//!
//! Neighbours: the players are the tests of crates/adf-ctl/tests/simulation, built as `cargo xtask test` builds them and
//! run as processes; [`report`] adds up what they print. The rule: a seed that breaks a rule is told with its whole trace
//! and with the command that plays it again.

mod report;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::failure::{Failure, Result, While};
use crate::{process, workspace};
use report::Report;

/// Seeds that a process plays before it is asked again: a few seconds' worth.
const CHUNK: u64 = 10;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How many seeds are played.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Processes that play at the same time; as many as there are processors.
    #[arg(long)]
    jobs: Option<usize>,
    /// Goes on after a seed that breaks a rule, and lists them all.
    #[arg(long)]
    keep_going: bool,
    /// Instead of seeds: an operator killed before and after every call, at fleets of 1 and 10.
    #[arg(long, conflicts_with = "times")]
    exhaustive: bool,
    /// Instead of rules: how long the steps of a deploy take, over so many seeds.
    #[arg(long)]
    times: bool,
}

pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let player = build()?;
    if options.exhaustive {
        whole(&player, "kills::", &[("ADF_SIM_EXHAUSTIVE", "1".to_owned())])?;
        return whole(&player, "sizes::", &[("ADF_SIM_EXHAUSTIVE", "1".to_owned())]);
    }
    if options.times {
        return whole(&player, "times::", &[("ADF_SIM_SEEDS", options.seeds.to_string())]);
    }
    let began = Instant::now();
    let jobs = options.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let shared = Mutex::new(Shared { next: options.from, report: Report::default() });
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs).map(|_| scope.spawn(|| work(&player, options, &shared))).collect();
        workers.into_iter().try_for_each(|worker| worker.join().expect("workers do not panic"))
    })?;
    let report = shared.into_inner().unwrap_or_else(PoisonError::into_inner).report;
    Ok(report.show(began.elapsed()))
}

/// What the workers share.
struct Shared {
    next: u64,
    report: Report,
}

fn work(player: &Path, options: &Options, shared: &Mutex<Shared>) -> Result<()> {
    loop {
        let from = {
            let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let stop = shared.report.has_failed() && !options.keep_going;
            if stop || shared.next >= options.from + options.seeds {
                return Ok(());
            }
            let from = shared.next;
            shared.next += CHUNK;
            from
        };
        let seeds = CHUNK.min(options.from + options.seeds - from);
        let mut command = command(player, "seeds::chosen_by_the_environment");
        command.env("ADF_SIM_FROM", from.to_string()).env("ADF_SIM_SEEDS", seeds.to_string());
        if options.keep_going {
            command.env("ADF_SIM_KEEP_GOING", "1");
        }
        let done = command.stdin(Stdio::null()).output().while_("the simulation does not start")?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        let mut shared = shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.report.take(&said);
        if !done.status.success() && !shared.report.has_failed() {
            let why = String::from_utf8_lossy(&done.stderr);
            return Err(Failure::new(format!("seeds {from} to {}: {}", from + seeds - 1, why.trim())));
        }
    }
}

/// All tests of one file, with what they print.
fn whole(player: &Path, filter: &str, environment: &[(&str, String)]) -> Result<ExitCode> {
    let mut command = command(player, filter);
    command.envs(environment.iter().map(|(key, value)| (key, value)));
    process::run(&mut command)?;
    Ok(ExitCode::SUCCESS)
}

fn command(player: &Path, filter: &str) -> Command {
    let mut command = Command::new(player);
    command.args([filter, "--nocapture"]).env("RUST_BACKTRACE", "0");
    command
}

/// Builds the players and tells where they are. The whole workspace is named, so that this is the build of
/// `cargo xtask test` and not one more.
fn build() -> Result<PathBuf> {
    let mut command = workspace::cargo("test");
    command.args(["--locked", "--workspace", "--test", "simulation", "--no-run"]);
    command.args(["--message-format", "json-render-diagnostics"]).stdout(Stdio::piped());
    let program = process::line(&command);
    let mut child = command.spawn().while_(format_args!("`{program}` does not start"))?;
    let said = BufReader::new(child.stdout.take().expect("it was just piped"));
    let mut found = None;
    for line in said.lines() {
        let message: serde_json::Value =
            serde_json::from_str(&line.while_(&program)?).while_("reading what cargo printed")?;
        let is_player = message["target"]["name"] == "simulation";
        found = message["executable"].as_str().filter(|_| is_player).map(PathBuf::from).or(found);
    }
    if !child.wait().while_(&program)?.success() {
        return Err(Failure::new(format!("`{program}` failed")));
    }
    found.ok_or_else(|| Failure::new("cargo told no path of the simulation"))
}
