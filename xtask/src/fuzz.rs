//! `cargo xtask fuzz`: builds the fuzz target with coverage, writes its seeds, and lets it run for a while.
//!
//! Neighbours: fuzz/ at the top of the repository, a workspace of its own. Stable Rust is enough: the coverage is
//! LLVM's, switched on by compiler flags, as `cargo fuzz --sanitizer none` does. The rule: what the fuzzer finds is
//! kept, and the failure names the file.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::{process, workspace};

/// What the fuzzer may use in memory; the archive stream needs a few MiB.
const MEMORY_MIB: u32 = 512;

/// What one input may take: none does anything but read its own bytes.
const INPUT_SECONDS: u32 = 10;

/// Inputs are tars of a few entries.
const INPUT_BYTES: u32 = 64 << 10;

/// What makes LLVM count which branches an input takes. One codegen unit each, so that no counter is lost.
const COVERAGE: [&str; 7] = [
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// How long it runs.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
}

pub(crate) fn run(options: &Options) -> Result<()> {
    for_seconds(options.seconds)
}

/// Fuzzes for so long; an input that breaks something is a failure with its path.
pub(crate) fn for_seconds(seconds: u32) -> Result<()> {
    let target = workspace::metadata()?.target_directory.join("fuzz");
    let host = workspace::host()?;
    let (corpus, found) = (target.join("corpus/archive"), target.join("found/archive"));
    process::run(
        cargo("run", &target).args(["--quiet", "--locked", "--bin", "seeds", "--"]).arg(target.join("seeds")),
    )?;
    for folder in [&corpus, &found] {
        std::fs::create_dir_all(folder).map_err(|e| Failure::new(format!("{}: {e}", folder.display())))?;
    }
    // The host is named so that the flags stay away from build scripts and macros.
    process::run(
        cargo("build", &target)
            .args(["--quiet", "--locked", "--release", "--features", "fuzzer", "--bin", "archive"])
            .args(["--target", &host])
            .env("RUSTFLAGS", COVERAGE.join(" ")),
    )?;
    let binary = target.join(&host).join("release/archive");
    let before = files(&found);
    let done = process::run(&mut fuzzer(&binary, seconds, &[&corpus, &target.join("seeds")], &found));
    done.map_err(|failure| match files(&found).into_iter().find(|file| !before.contains(file)) {
        Some(input) => Failure::new(format!("{failure}; the input that broke it is {}", input.display()))
            .hint(format!("run it alone: {} {}", binary.display(), input.display())),
        None => failure,
    })
}

fn cargo(subcommand: &str, target: &Path) -> Command {
    let mut command = workspace::cargo(subcommand);
    command.current_dir(workspace::root().join("fuzz")).env("CARGO_TARGET_DIR", target);
    command
}

fn fuzzer(binary: &Path, seconds: u32, inputs: &[&Path], found: &Path) -> Command {
    let mut command = Command::new(binary);
    command.args([
        format!("-max_total_time={seconds}"),
        format!("-rss_limit_mb={MEMORY_MIB}"),
        format!("-timeout={INPUT_SECONDS}"),
        format!("-max_len={INPUT_BYTES}"),
        format!("-artifact_prefix={}/", found.display()),
        "-print_final_stats=1".to_owned(),
        "-verbosity=0".to_owned(),
    ]);
    command.args(inputs);
    command
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}
