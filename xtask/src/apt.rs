//! What a fresh Debian or Ubuntu lacks, through apt-get, as root or with sudo; said before it is done.

use std::process::Command;

use crate::failure::{Failure, Result};
use crate::process;

/// Installs `packages` unless `there` already holds.
pub(crate) fn ensure(what: &str, packages: &[&str], there: impl Fn() -> bool) -> Result<()> {
    if there() {
        return Ok(());
    }
    eprintln!("{what} is not on this machine; installing it: apt-get install {}", packages.join(" "));
    if !process::on_path("apt-get") {
        return Err(Failure::new(format!("{what} is missing, and there is no apt-get to install it with"))
            .hint(format!("install {what} by your system's own means, then run this again")));
    }
    process::run(as_root("apt-get")?.args(["-qq", "update"]))?;
    process::run(
        as_root("apt-get")?.args(["-qq", "install", "--yes", "--no-install-recommends"]).args(packages),
    )?;
    if there() {
        Ok(())
    } else {
        Err(Failure::new(format!("{what} is still missing after its installation")))
    }
}

/// `program` as root: itself if we are root, through sudo if not.
pub(crate) fn as_root(program: &str) -> Result<Command> {
    if nix::unistd::geteuid().is_root() {
        let mut command = Command::new(program);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        return Ok(command);
    }
    if !process::on_path("sudo") {
        return Err(
            Failure::new(format!("`{program}` needs root, and there is no sudo")).hint("run this as root")
        );
    }
    let mut command = Command::new("sudo");
    command.args(["DEBIAN_FRONTEND=noninteractive", program]);
    Ok(command)
}
