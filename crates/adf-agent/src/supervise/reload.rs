//! SIGHUP: the config read anew, and the container replaced when it changed.
//!
//! The rule: the old container serves until the new config is complete and the new container exists; when the new one
//! does not become healthy the old one is started again, with its old config, and the receipt says so. Both want
//! the same port, so between the two nobody answers: that is what a fresh instance is for, and a reload is for an app
//! whose config must change in place.

use std::time::Duration;

use adf_types::InstanceState;

use super::{App, Supervisor};
use crate::agent::Agent;
use crate::claim::{INSTANCE_LABEL, Order, look_around};
use crate::failure::Failure;
use crate::health::{Judge, health};
use crate::prepare::{Prepared, prepare};
use crate::start::{Plan, Started, create, launch, secrets, start};
use crate::world::systemd;

/// What making a container anew may take, and what a new one may take beyond its grace period.
const LIMIT: Duration = Duration::from_mins(10);

/// What reading the config may take. A boot asks as long as it has time; here an app serves, and somebody waits
/// to hear whether the new config is in use.
const PREPARE_LIMIT: Duration = Duration::from_mins(2);

/// How a reload ended.
enum Reloaded {
    /// The config is the one that runs.
    Unchanged,
    Replaced(Box<Started>),
    /// The old container serves, as before.
    Kept(Failure),
    /// The new container was no good and the old one was started again.
    Restored(Failure),
}

impl Supervisor<'_> {
    pub(super) async fn reload(&mut self) {
        tracing::info!("told to reload: reading the config anew");
        systemd::reloading("reloading: reading the config anew");
        let agent = self.agent;
        // The app is watched, and started again if it ends, as long as its container is not the one that changes.
        let reloaded = match Box::pin(self.while_turning(prepared(agent, self.started.order.clone()))).await {
            Ok(prepared) => self.put_to_use(prepared).await,
            Err(failure) => Reloaded::Kept(failure),
        };
        let notice = match reloaded {
            Reloaded::Unchanged => "I185 reloaded: the config has not changed".to_owned(),
            Reloaded::Replaced(started) => {
                self.replaced(*started);
                "I185 reloaded: the app runs with the new config".to_owned()
            }
            Reloaded::Kept(failure) => {
                format!("W185 not reloaded, the app goes on with its old config: {failure}")
            }
            Reloaded::Restored(failure) => {
                self.replaced(self.started.clone());
                format!("W185 not reloaded, the app runs again with its old config: {failure}")
            }
        };
        // Whichever container serves now, the other one's secrets are of no use any more.
        secrets::keep_only(&agent.settings.run_dir, self.started.secrets.as_deref());
        tracing::info!("{notice}");
        self.agent.reporter.notice(notice);
        let order = &self.started.order;
        systemd::ready(&format!("serving {} {}", order.app, order.release));
    }

    async fn put_to_use(&mut self, prepared: Prepared) -> Reloaded {
        let (agent, old) = (self.agent, self.started.clone());
        self.pulse.during(put_to_use(agent, &old, &prepared)).await
    }

    fn replaced(&mut self, started: Started) {
        self.agent.reporter.container(&started.container);
        self.judge = Judge::new(started.run.passes);
        self.started = started;
        self.app = App::Up;
        self.unhealthy_since = None;
        self.serving();
    }

    /// A container that is gone is made anew, from the config as it is now.
    pub(super) async fn recreate(&mut self) -> Result<(), String> {
        let (agent, order) = (self.agent, self.started.order.clone());
        let work = async {
            let claimed = look_around(agent, order).await?;
            start(agent, prepare(agent, claimed).await?).await
        };
        let made = self.pulse.during(tokio::time::timeout(LIMIT, work)).await;
        let started = made.map_err(|_| format!("not done within {} s", LIMIT.as_secs()))?;
        self.started = started.map_err(|failure| failure.to_string())?;
        Ok(())
    }
}

async fn prepared(agent: &Agent, order: Order) -> Result<Prepared, Failure> {
    let prepared = async { prepare(agent, look_around(agent, order).await?).await };
    tokio::time::timeout(PREPARE_LIMIT, prepared).await.unwrap_or_else(|_| Err(not_prepared(agent)))
}

async fn put_to_use(agent: &Agent, old: &Started, prepared: &Prepared) -> Reloaded {
    match next_container(agent, old, prepared).await {
        Ok(None) => Reloaded::Unchanged,
        Ok(Some((plan, id))) => swap(agent, old, prepared, plan, id).await,
        Err(failure) => Reloaded::Kept(failure),
    }
}

/// What was being waited for says more than that it took too long.
fn not_prepared(agent: &Agent) -> Failure {
    let limit = format!("not prepared within {} s", PREPARE_LIMIT.as_secs());
    Failure::transient(agent.reporter.last_trouble().map_or(limit, |trouble| trouble.problem))
}

/// Creates the container that is to take over; nothing when the one that runs is the same.
async fn next_container(
    agent: &Agent,
    old: &Started,
    prepared: &Prepared,
) -> Result<Option<(Plan, String)>, Failure> {
    let mut plan = Plan::of(agent, prepared)?;
    // Listed anew: the app may have been started again while the config was read.
    let containers = agent.world.docker.containers(INSTANCE_LABEL, old.order.instance.as_str()).await?;
    if containers.iter().any(|c| c.id == old.container && plan.is(c)) {
        return Ok(None);
    }
    // What an earlier reload left behind may hold the name.
    for left in containers.iter().filter(|c| c.id != old.container) {
        agent.world.docker.stop(&left.id, old.run.stop_grace).await?;
        agent.world.docker.remove(&left.id).await?;
    }
    plan.spec.name = format!("{}-{}", plan.spec.name, prepared.config.hash().short());
    let id = create(agent, &plan.spec).await?;
    Ok(Some((plan, id)))
}

async fn swap(agent: &Agent, old: &Started, prepared: &Prepared, plan: Plan, id: String) -> Reloaded {
    let docker = &agent.world.docker;
    let hash = prepared.config.hash();
    agent.reporter.publish(InstanceState::Unhealthy {
        reason: format!("I185 restarting with the new config {}", hash.short()),
    });
    if let Err(error) = docker.stop(&old.container, old.run.stop_grace).await {
        // Not known to be down: it may still serve, and the supervisor will see.
        let _ = docker.remove(&id).await;
        return Reloaded::Restored(error.into());
    }
    match try_new(agent, plan, &id).await {
        Ok(started) => {
            agent.reporter.update(|receipt| receipt.config_hash = Some(hash));
            if let Err(error) = docker.remove(&old.container).await {
                tracing::warn!("the earlier container {} was left behind: {error}", old.container);
            }
            Reloaded::Replaced(Box::new(started))
        }
        Err(failure) => {
            if let Err(error) = docker.remove(&id).await {
                tracing::warn!("the container {id} that failed was left behind: {error}");
            }
            if let Err(error) = docker.start(&old.container).await {
                tracing::warn!("the earlier container was not started again: {error}; trying on");
            }
            Reloaded::Restored(failure)
        }
    }
}

/// Its limit is inside: whatever runs out of time, the old container is started again.
async fn try_new(agent: &Agent, plan: Plan, id: &str) -> Result<Started, Failure> {
    let limit = plan.run.grace.saturating_add(LIMIT);
    let healthy = async {
        launch(agent, id).await?;
        let started = plan.started(agent, id.to_owned());
        Ok(health(agent, started).await?.started)
    };
    let late =
        || Failure::transient(format!("the new container was not healthy within {} s", limit.as_secs()));
    tokio::time::timeout(limit, healthy).await.unwrap_or_else(|_| Err(late()))
}
