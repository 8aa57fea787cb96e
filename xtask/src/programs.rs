//! What the demo and the benchmarks run, built by cargo: the workspace's binaries, and the example app as a static one.

use std::path::PathBuf;

use crate::failure::Result;
use crate::{process, workspace};

/// Programs, ready to run.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) ctl: PathBuf,
    pub(crate) local: PathBuf,
    pub(crate) agent: PathBuf,
    /// The app: a static binary that its Dockerfile copies.
    pub(crate) hello: PathBuf,
}

pub(crate) fn programs() -> Result<Programs> {
    let target = workspace::metadata()?.target_directory;
    let mut cargo = workspace::cargo_build_programs();
    eprintln!("building the workspace's programs: {}", process::line(&cargo));
    process::run(&mut cargo)?;

    eprintln!("building the app of the demo, docs/examples/hello, as a static binary");
    let host = workspace::host()?;
    let hello = target.join("hello");
    let mut cargo = workspace::cargo("build");
    cargo.current_dir(workspace::root().join("docs/examples/hello")).env("CARGO_TARGET_DIR", &hello);
    process::run(cargo.args(["--quiet", "--locked", "--release", "--target", &host]))?;

    let debug = target.join("debug");
    Ok(Programs {
        ctl: debug.join("adf-ctl"),
        local: debug.join("adf-local"),
        agent: debug.join("adf-agent"),
        hello: hello.join(host).join("release/hello"),
    })
}

/// The agent as it is shipped: optimised and stripped, without what tests want of its libraries.
pub(crate) fn optimised_agent() -> Result<PathBuf> {
    optimised("adf-agent", &[])?;
    Ok(workspace::metadata()?.target_directory.join("release/adf-agent"))
}

/// What `cargo xtask bench config` runs.
#[derive(Debug)]
pub(crate) struct ConfigBench {
    pub(crate) bench: PathBuf,
    pub(crate) bare_list: PathBuf,
    pub(crate) adf_config: PathBuf,
}

/// The command as it is shipped, and the examples beside it, which have what tests want and therefore are another build.
pub(crate) fn config_bench() -> Result<ConfigBench> {
    optimised("adf-config", &["--examples"])?;
    optimised("adf-config", &[])?;
    let release = workspace::metadata()?.target_directory.join("release");
    Ok(ConfigBench {
        bench: release.join("examples/bench_config"),
        bare_list: release.join("examples/bare_list"),
        adf_config: release.join("adf-config"),
    })
}

fn optimised(package: &str, more: &[&str]) -> Result<()> {
    let mut cargo = workspace::cargo("build");
    cargo.args(["--quiet", "--locked", "--release", "--package", package]).args(more);
    eprintln!("building what is measured: {}", process::line(&cargo));
    process::run(&mut cargo)
}
