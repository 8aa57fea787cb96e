//! The machines: each running instance of the model is a real `adf-agent` with its own directory and address.
//!
//! - [`machine`]: one instance's machine from power-on to power-off, a task of its own;
//! - [`agent`]: the agent's directory, settings and command line;
//! - [`containers`]: what machines leave in Docker, and its removal.
//!
//! The rule: what the runner started, it ends. When it stops, no agent, container or image of its instances is left.

mod agent;
mod containers;
mod machine;

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;

use crate::cloud::Cloud;
use crate::model::{Instance, InstanceState};
use agent::AgentHome;
pub use containers::{Docker, DockerError};
use machine::Machine;

/// What a runner needs to know.
#[derive(Debug, Clone)]
pub struct RunnerSettings {
    /// The `adf-agent` program.
    pub agent: PathBuf,
    /// The `adf-local` program, through which agents are started so that they end with this process.
    pub launcher: PathBuf,
    /// Where each instance gets its directory, `instances/<id>`.
    pub dir: PathBuf,
    /// The endpoint of the AWS API.
    pub endpoint: String,
    /// Before the name of every image that the agents build; no other adf-local on this machine has it.
    pub image_prefix: String,
}

/// All machines.
#[derive(Debug)]
pub struct Runner {
    cloud: Cloud,
    docker: Docker,
    settings: RunnerSettings,
    machines: BTreeMap<String, Machine>,
}

/// What the runner has to know of an instance.
struct Wanted {
    id: String,
    state: InstanceState,
    address: Ipv4Addr,
    boots: u32,
}

impl From<&Instance> for Wanted {
    fn from(instance: &Instance) -> Self {
        let Instance { id, state, private_ip, boots, .. } = instance;
        Self { id: id.clone(), state: *state, address: *private_ip, boots: *boots }
    }
}

impl Runner {
    /// A runner without machines; what an earlier process under the same image prefix left behind is removed.
    pub async fn new(cloud: Cloud, docker: Docker, settings: RunnerSettings) -> Result<Self, DockerError> {
        docker.remove_images(&settings.image_prefix).await?;
        Ok(Self { cloud, docker, settings, machines: BTreeMap::new() })
    }

    /// Starts, reboots and halts machines until they are what the model says, and tells the model what they did.
    pub async fn reconcile(&mut self) {
        let wanted = self.cloud.model(|model, _| model.instances().map(Wanted::from).collect::<Vec<_>>());
        for instance in &wanted {
            match instance.state {
                InstanceState::Running => self.keep_running(instance),
                InstanceState::ShuttingDown | InstanceState::Terminated => self.halt(&instance.id),
                InstanceState::Pending | InstanceState::Stopping | InstanceState::Stopped => {}
            }
        }
        self.show_consoles();
        self.bury().await;
    }

    /// Halts every machine and removes all that they left.
    pub async fn stop(mut self) -> Result<(), DockerError> {
        for machine in self.machines.values() {
            machine.halt();
        }
        for (_, machine) in std::mem::take(&mut self.machines) {
            machine.halted().await;
        }
        self.docker.remove_images(&self.settings.image_prefix).await
    }

    fn keep_running(&mut self, instance: &Wanted) {
        if let Some(machine) = self.machines.get(&instance.id) {
            return machine.boot(instance.boots);
        }
        match self.power_on(instance) {
            Ok(machine) => {
                self.machines.insert(instance.id.clone(), machine);
            }
            Err(error) => {
                tracing::error!(instance = instance.id, %error, "the machine's directory could not be made");
            }
        }
    }

    fn power_on(&self, instance: &Wanted) -> io::Result<Machine> {
        let home = AgentHome::make(&self.settings, &instance.id, instance.address)?;
        tracing::info!(instance = instance.id, address = %instance.address, "machine starts");
        Ok(Machine::start(home, self.docker.clone(), instance.boots))
    }

    fn halt(&mut self, id: &str) {
        match self.machines.get(id) {
            Some(machine) => machine.halt(),
            // It was terminated before it ever ran.
            None => self.cloud.model(|model, now| model.instance_halted(id, now)),
        }
    }

    fn show_consoles(&mut self) {
        for (id, machine) in &mut self.machines {
            if let Some(text) = machine.new_console() {
                self.cloud.model(|model, now| model.set_console_output(id, text, now));
            }
        }
    }

    /// Tells the model of machines that are really gone.
    async fn bury(&mut self) {
        let gone: Vec<_> =
            self.machines.iter().filter(|(_, it)| it.is_gone()).map(|(id, _)| id.clone()).collect();
        for id in gone {
            if let Some(machine) = self.machines.remove(&id) {
                machine.halted().await;
                tracing::info!(instance = id, "machine is gone");
                self.cloud.model(|model, now| model.instance_halted(&id, now));
            }
        }
    }
}
