//! Docker Engine on this machine: found, or installed and started, and said so.
//!
//! Neighbours: [`engine`] asks it questions. The rule: what was running before stays running; what xtask
//! started, xtask stops.

mod engine;
mod start;

pub(crate) use engine::Engine;
pub(crate) use start::Started;

use crate::apt;
use crate::failure::{Failure, Result};
use crate::process;

/// Docker Engine that answers.
#[derive(Debug)]
pub(crate) struct Docker {
    pub(crate) engine: Engine,
    started: Option<Started>,
}

/// Finds Docker Engine, or installs and starts it.
pub(crate) async fn ensure() -> Result<Docker> {
    let engine = Engine::from_env()?;
    let refused = match engine.version().await {
        Ok(version) => {
            eprintln!("Docker Engine {version} answers at {engine}");
            return Ok(Docker { engine, started: None });
        }
        Err(refused) => refused,
    };
    if engine.is_configured() {
        return Err(Failure::new(format!("DOCKER_HOST is set, but {refused}"))
            .hint("start that engine, or unset DOCKER_HOST to use this machine's"));
    }
    if engine.denies_us() {
        return Err(Failure::new(format!("Docker runs, but you may not use {engine}"))
            .hint("sudo usermod -aG docker $USER, log in again, and run this again; or run it as root"));
    }
    let packages = ["docker.io", "iptables", "ca-certificates"];
    apt::ensure("Docker Engine", &packages, || process::on_path("dockerd") || sbin("dockerd"))?;
    let started = start::start(&engine).await?;
    Ok(Docker { engine, started: Some(started) })
}

impl Docker {
    /// Stops Docker if it was started by us.
    pub(crate) fn stop(self) -> Result<()> {
        match self.started {
            Some(started) => started.stop(),
            None => Ok(()),
        }
    }
}

/// Where Debian has daemons, which a user's PATH may not name.
fn sbin(program: &str) -> bool {
    std::path::Path::new("/usr/sbin").join(program).is_file()
}
