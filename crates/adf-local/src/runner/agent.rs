//! The agent of one instance: its directory, its settings, its command line.
//!
//! `<dir>/instances/<id>/` holds what an AMI has in `/etc/adf`, `/var/lib/adf` and `/run/adf`, and the console. The agent gets
//! no AWS keys: like on EC2 it uses its role's, from the metadata service.

use std::fs::{File, OpenOptions};
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

use super::RunnerSettings;
use crate::imds;

/// What an agent may see of adf-local's own environment.
const PASSED_ON: [&str; 4] = ["PATH", "DOCKER_HOST", "RUST_LOG", "RUST_BACKTRACE"];

/// One instance's directory, ready to start its agent in.
#[derive(Debug)]
pub(super) struct AgentHome {
    pub(super) instance: String,
    dir: PathBuf,
    address: Ipv4Addr,
    agent: PathBuf,
    launcher: PathBuf,
    endpoint: String,
}

impl AgentHome {
    pub(super) fn make(settings: &RunnerSettings, instance: &str, address: Ipv4Addr) -> io::Result<Self> {
        let dir = settings.dir.join("instances").join(instance);
        for name in ["state", "run"] {
            std::fs::create_dir_all(dir.join(name))?;
        }
        std::fs::write(dir.join("agent.toml"), agent_toml(&dir, address, &settings.image_prefix))?;
        Ok(Self {
            instance: instance.to_owned(),
            address,
            agent: settings.agent.clone(),
            launcher: settings.launcher.clone(),
            endpoint: settings.endpoint.clone(),
            dir,
        })
    }

    /// Starts the agent; what it prints goes to the console.
    pub(super) fn start(&self) -> io::Result<Child> {
        let console = self.open_console()?;
        let mut command = Command::new(&self.launcher);
        command.arg("machine").arg(std::process::id().to_string()).arg(&self.agent);
        command.args(["run", "--config"]).arg(self.dir.join("agent.toml"));
        command.env_clear().envs(PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", format!("http://{}:{}", self.address, imds::PORT));
        command.env("AWS_ENDPOINT_URL", &self.endpoint).env("HOME", &self.dir);
        command.current_dir(&self.dir).stdin(Stdio::null()).stdout(console.try_clone()?).stderr(console);
        // Ctrl-C in the terminal is for adf-local, which then ends the agents in order.
        command.process_group(0).kill_on_drop(true).spawn()
    }

    /// Adds a line of the machine's own to the console.
    pub(super) fn note(&self, line: &str) {
        use io::Write as _;
        if let Err(error) = self.open_console().and_then(|mut console| writeln!(console, "adf-local: {line}"))
        {
            tracing::warn!(instance = self.instance, %error, "the console could not be written");
        }
    }

    /// What a machine keeps in memory does not outlive a reboot: the files of `/run`. Where secrets are mounted the agent
    /// looks by itself.
    pub(super) fn empty_memory(&self) {
        let Ok(entries) = std::fs::read_dir(self.dir.join("run")) else { return };
        let files = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir()));
        for file in files {
            if let Err(error) = std::fs::remove_file(file.path()) {
                tracing::warn!(instance = self.instance, %error, "{} outlives a reboot", file.path().display());
            }
        }
    }

    pub(super) fn console(&self) -> PathBuf {
        self.dir.join("console.log")
    }

    fn open_console(&self) -> io::Result<File> {
        OpenOptions::new().create(true).append(true).open(self.console())
    }
}

fn agent_toml(dir: &Path, address: Ipv4Addr, image_prefix: &str) -> String {
    let mut toml = toml::Table::new();
    // Metadata of a local instance is on loopback, and this machine's packet filter is not ours.
    toml.insert("block_imds".to_owned(), toml::Value::Boolean(false));
    let mut set = |key: &str, value: String| toml.insert(key.to_owned(), toml::Value::String(value));
    set("bind", address.to_string());
    set("run_dir", dir.join("run").display().to_string());
    set("state_dir", dir.join("state").display().to_string());
    set("image_prefix", image_prefix.to_owned());
    toml.to_string()
}
