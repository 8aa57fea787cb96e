//! What the check needs on a machine that has Rust: found, or installed and said so.

use std::path::Path;

use crate::failure::Result;
use crate::{apt, process, workspace};

pub(super) fn ensure() -> Result<()> {
    apt::ensure("git", &["git"], || process::on_path("git"))?;
    apt::ensure("curl", &["curl", "ca-certificates"], || process::on_path("curl"))?;
    apt::ensure("Python with venv", &["python3", "python3-venv"], || {
        process::succeeds(std::process::Command::new("python3").args(["-c", "import venv, ensurepip"]))
    })?;
    // The agent's unit file is checked by systemd itself; no service manager has to run.
    apt::ensure("systemd-analyze", &["systemd"], || process::on_path("systemd-analyze"))?;
    apt::ensure("docker-registry", &["docker-registry"], || process::on_path("docker-registry"))?;
    apt::ensure("a C++ compiler", &["g++"], || process::on_path("c++"))?;
    // The guard before instance metadata, tried in network namespaces.
    apt::ensure("nftables", &["nftables"], || in_sbin("nft"))?;
    apt::ensure("iptables", &["iptables"], || in_sbin("iptables"))?;
    apt::ensure("iproute2", &["iproute2"], || in_sbin("ip"))?;
    cargo_tool("cargo-nextest", "nextest")?;
    cargo_tool("cargo-deny", "deny")
}

/// Debian keeps these out of the path of those who are not root.
fn in_sbin(program: &str) -> bool {
    process::on_path(program)
        || ["/usr/sbin", "/sbin"].iter().any(|dir| Path::new(dir).join(program).exists())
}

fn cargo_tool(package: &str, subcommand: &str) -> Result<()> {
    if process::succeeds(workspace::cargo(subcommand).arg("--version")) {
        return Ok(());
    }
    eprintln!("{package} is not on this machine; installing it: cargo install {package} --locked");
    process::run(workspace::cargo("install").args(["--quiet", "--locked", package]))
}
