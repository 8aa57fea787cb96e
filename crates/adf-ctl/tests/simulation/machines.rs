//! The machines below the cloud: each running instance boots the real agent; the load balancer checks their apps.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use adf_agent::agent::Agent;
use adf_agent::exit::Exit;
use adf_agent::run::run;
use adf_agent::settings::Settings;
use adf_agent::world::{Aws, Connect};
use adf_local::model::{InstanceState, Probe, ProbeFailure};
use async_trait::async_trait;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::archive::Shelf;
use crate::dice::Dice;
use crate::engine::{self, Engine, Registry};
use crate::fate::{Fate, Fates};
use crate::link::{Link, Party};
use crate::oracle::release_of;
use crate::scenario::{Delivery, Pace, Scenario, Weather};
use crate::stage::Stage;

/// Between two looks at the cloud.
const STEP: Duration = Duration::from_millis(500);

/// The load balancer checks each target every so many steps: five seconds, as `init` sets it.
const CHECK: u64 = 10;

/// What systemd waits before it starts an agent again.
const RESTART: Duration = Duration::from_secs(5);

pub(crate) struct Machines {
    stage: Arc<Stage>,
    scenario: Scenario,
    folder: PathBuf,
    registry: Registry,
    running: BTreeMap<String, Machine>,
    step: u64,
}

struct Machine {
    engine: Arc<Engine>,
    agent: Option<JoinHandle<()>>,
    stop: watch::Sender<bool>,
    /// When it was told to stop.
    stopping: Option<Instant>,
    /// As in the model: it is rebooted when there are more.
    boots: u32,
}

/// A machine that does not stop within this is stopped.
const PATIENCE: Duration = Duration::from_secs(30);

impl Drop for Machine {
    fn drop(&mut self) {
        self.engine.off();
        if let Some(agent) = self.agent.take() {
            agent.abort();
        }
    }
}

impl Machines {
    pub(crate) fn new(stage: &Arc<Stage>, scenario: &Scenario, folder: PathBuf) -> Self {
        let (stage, scenario) = (stage.clone(), scenario.clone());
        Self { stage, scenario, folder, registry: Registry::default(), running: BTreeMap::new(), step: 0 }
    }

    /// For as long as the world lasts.
    pub(crate) async fn run(mut self) {
        loop {
            self.step += 1;
            self.follow();
            self.check();
            if self.scenario.watched {
                self.stage.look();
            }
            sleep(STEP).await;
        }
    }

    fn follow(&mut self) {
        let states: Vec<(String, InstanceState, u32)> = self.stage.cloud.model(|model, _| {
            model.instances().map(|instance| (instance.id.clone(), instance.state, instance.boots)).collect()
        });
        for (id, state, boots) in states {
            match state {
                InstanceState::Running if !self.running.contains_key(&id) => self.start(&id, boots),
                InstanceState::Running if self.running[&id].boots < boots => self.reboot(&id, boots),
                InstanceState::ShuttingDown => self.shut_down(&id),
                InstanceState::Terminated => {
                    self.running.remove(&id);
                }
                _ => {}
            }
        }
        for (id, machine) in &mut self.running {
            let ended = machine.agent.as_ref().is_some_and(JoinHandle::is_finished);
            if ended && let Some(agent) = machine.agent.take() {
                self.stage.trace.tell(id, "the agent has ended");
                let stage = self.stage.clone();
                let id = id.clone();
                tokio::spawn(async move {
                    if let Err(error) = agent.await {
                        stage.check("nothing panics", !error.is_panic(), || format!("the agent of {id}"));
                    }
                });
            }
        }
    }

    fn start(&mut self, id: &str, boots: u32) {
        let release = self.stage.cloud.model(|model, _| release_of(model.instance(id)?.user_data.as_ref()?));
        let fates = release.and_then(|release| self.scenario.fates.get(&release).copied());
        let mut fate = fates.unwrap_or(Fates::WELL).of(self.scenario.seed, id);
        let begun = self.stage.has_begun();
        let pace = if begun { self.scenario.pace } else { QUICK };
        if !begun && fate == Fate::Dead {
            fate = Fate::Well;
        }
        if fate == Fate::Dead {
            self.stage.oracle.came_dead();
        }
        let engine = Arc::new(Engine::new(
            self.stage.cloud.clone(),
            id,
            self.scenario.seed,
            fate,
            pace,
            self.registry.clone(),
        ));
        self.stage.keep_engine(&engine);
        self.stage.trace.tell(id, format!("runs; its app: {fate:?}"));
        let (agent, stop) = self.agent(id, &engine);
        self.running.insert(id.to_owned(), Machine { engine, agent, stop, stopping: None, boots });
    }

    /// The agent of one boot.
    fn agent(&self, id: &str, engine: &Arc<Engine>) -> (Option<JoinHandle<()>>, watch::Sender<bool>) {
        let (stop, told) = watch::channel(false);
        let weather = if self.stage.has_begun() { self.scenario.weather } else { Weather::default() };
        let link = Link::new(&self.stage, id, Party::Agent, weather);
        let live = live(engine.clone(), link, self.settings(id), told);
        (Some(tokio::task::spawn_local(live)), stop)
    }

    /// The agent is told to stop, memory is emptied, and another agent starts; images and containers are on disk.
    fn reboot(&mut self, id: &str, boots: u32) {
        let Some(machine) = self.running.get_mut(id) else { return };
        let since = *machine.stopping.get_or_insert_with(Instant::now);
        machine.stop.send_replace(true);
        if machine.agent.as_ref().is_some_and(|agent| !agent.is_finished()) && since.elapsed() < PATIENCE {
            return;
        }
        if let Some(agent) = machine.agent.take() {
            agent.abort();
        }
        machine.engine.reboot();
        let engine = machine.engine.clone();
        let memory = self.folder.join(id).join("boot-id");
        std::fs::remove_file(memory).unwrap_or_default();
        self.stage.trace.tell(id, "reboots");
        let (agent, stop) = self.agent(id, &engine);
        if let Some(machine) = self.running.get_mut(id) {
            (machine.agent, machine.stop, machine.stopping, machine.boots) = (agent, stop, None, boots);
        }
    }

    fn settings(&self, id: &str) -> Settings {
        let folder = self.folder.join(id);
        std::fs::create_dir_all(&folder).expect("a folder in memory");
        let repository = (self.scenario.delivery == Delivery::Repository)
            .then(|| "ghcr.io/acme/web".parse().expect("a repository"));
        Settings {
            run_dir: folder.clone(),
            state_dir: folder.join("state"),
            image_repository: repository,
            ..Settings::default()
        }
    }

    /// The machine stops when its agent has, or when it takes too long.
    fn shut_down(&mut self, id: &str) {
        if let Some(machine) = self.running.get_mut(id) {
            let since = *machine.stopping.get_or_insert_with(Instant::now);
            machine.stop.send_replace(true);
            if machine.agent.is_some() && since.elapsed() < PATIENCE {
                return;
            }
            self.running.remove(id);
        }
        self.stage.cloud.model(|model, now| model.instance_halted(id, now));
    }

    /// The load balancer's own requests.
    fn check(&mut self) {
        let step = self.step;
        let due = |id: &str| Dice::at(0, id, 0).number(0, CHECK - 1) == step % CHECK;
        let running = &self.running;
        self.stage.cloud.model(|model, now| {
            let targets: Vec<_> = model
                .target_groups()
                .flat_map(|group| group.targets.keys().map(|key| (group.arn.clone(), key.clone())))
                .filter(|(_, key)| due(&key.id))
                .collect();
            for (arn, key) in targets {
                let well = running.get(&key.id).is_some_and(|machine| machine.engine.check());
                let probe =
                    if well { Probe::Passed } else { Probe::Failed { reason: ProbeFailure::Timeout } };
                model.health_checked(&arn, &key, probe, now);
            }
        });
    }
}

/// The fleet that is there at the start.
const QUICK: Pace = Pace { boot: (1.0, 2.0), slow: 0, wrong_clocks: 0, build: (1.0, 2.0), pull: (1.0, 2.0) };

async fn live(engine: Arc<Engine>, link: Link, settings: Settings, told: watch::Receiver<bool>) {
    let Some(boot) = engine.boot() else { return std::future::pending().await };
    sleep(boot).await;
    loop {
        let connect = Arc::new(Wire { link: link.clone(), settings: settings.clone() });
        let agent = Agent::new(engine::world(&engine, connect), settings.clone());
        let mut told = told.clone();
        let stop = async move {
            if told.wait_for(|told| *told).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        match Box::pin(run(&agent, stop)).await {
            Exit::Transient => sleep(RESTART).await,
            _ => return,
        }
    }
}

/// The real tables and the real group through the instance's own connection; archives from the shelf.
struct Wire {
    link: Link,
    settings: Settings,
}

#[async_trait]
impl Connect for Wire {
    async fn connect(&self, _: &str) -> Aws {
        Aws::on(&self.link.sdk_config(), &self.settings, Arc::new(Shelf), Arc::new(Shelf))
    }
}
