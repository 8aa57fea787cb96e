//! One instance as its agent sees it: metadata, container engine, app, disk. The agent itself is the real one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adf_agent::world::{
    BuildError, BuildOrder, BuildProblem, Container, ContainerSpec, ContainerState, Credentials, Disk,
    Docker, DockerError, Guard, GuardError, Healthcheck, Host, Image, Imds, ImdsError, ProbeTarget, Prober,
    RegistryError, Stock,
};
use adf_local::cloud::Cloud;
use adf_local::model::{Instance, LifecycleState};
use adf_types::{Digest, ImageRef};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use crate::SENTINEL;
use crate::dice::Dice;
use crate::fate::Fate;
use crate::scenario::Pace;

/// What the image's adf.toml says.
pub(crate) const ADF_TOML: &str =
    "[run]\nport = 8080\ninterval = \"3s\"\ngrace = \"30s\"\nstop_grace = \"3s\"\n";

/// Health passes after which the app serves; adf.toml's default.
pub(crate) const PASSES: u32 = 3;

#[derive(Debug)]
pub(crate) struct Engine {
    cloud: Cloud,
    pub(crate) instance: String,
    pub(crate) fate: Fate,
    seed: u64,
    pace: Pace,
    registry: Registry,
    inner: Mutex<Inner>,
}

/// The labels of the images that were pushed, by digest; one for all instances.
pub(crate) type Registry = Arc<Mutex<BTreeMap<String, BTreeMap<String, String>>>>;

#[derive(Debug, Default)]
struct Inner {
    images: BTreeMap<String, Image>,
    containers: Vec<Container>,
    /// Since when the container runs.
    up: Option<Instant>,
    created: u64,
    probes: u64,
    /// Passes in a row that the agent has seen.
    passes: u32,
    /// The releases of all containers that were ever created.
    releases: Vec<String>,
    /// Until when the load balancer's own requests fail.
    flaps_until: Option<Instant>,
}

impl Engine {
    pub(crate) fn new(
        cloud: Cloud,
        instance: &str,
        seed: u64,
        fate: Fate,
        pace: Pace,
        registry: Registry,
    ) -> Self {
        Self { cloud, instance: instance.to_owned(), fate, seed, pace, registry, inner: Mutex::default() }
    }

    fn pushed<R>(&self, act: impl FnOnce(&mut BTreeMap<String, BTreeMap<String, String>>) -> R) -> R {
        act(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn inner<R>(&self, act: impl FnOnce(&mut Inner) -> R) -> R {
        act(&mut self.inner.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn dice(&self, place: &str) -> Dice {
        Dice::at(self.seed, &format!("{place} {}", self.instance), 0)
    }

    /// From the machine's start to the agent's; none when it never starts.
    pub(crate) fn boot(&self) -> Option<Duration> {
        let mut dice = self.dice("boot");
        let slow = dice.small(1, 100) <= self.pace.slow;
        let (median, p95) = if slow { (80.0, 95.0) } else { self.pace.boot };
        (self.fate != Fate::Dead).then(|| dice.lognormal(median, p95))
    }

    /// Passes in a row that the agent has seen, up to now.
    pub(crate) fn passes(&self) -> u32 {
        self.inner(|inner| inner.passes)
    }

    pub(crate) fn releases(&self) -> Vec<String> {
        self.inner(|inner| inner.releases.clone())
    }

    /// Whether the app answers at this moment; `None` where chance decides each time.
    pub(crate) fn answers(&self) -> Option<bool> {
        let up = self.inner(|inner| inner.up);
        let Some(up) = up else { return Some(false) };
        match self.fate {
            Fate::Well | Fate::Unbuildable | Fate::Dead => Some(true),
            Fate::Exits | Fate::Silent => Some(false),
            Fate::IllAfter(limit) => Some(up.elapsed() < limit),
            Fate::Flaps => None,
        }
    }

    /// By its release, not by what happened to the machine.
    pub(crate) fn is_ill(&self) -> bool {
        self.fate != Fate::Well && self.answers() == Some(false)
    }

    /// One request, of the agent or of the load balancer.
    pub(crate) fn request(&self) -> bool {
        self.answers().unwrap_or_else(|| {
            let nth = self.inner(|inner| {
                inner.probes += 1;
                inner.probes
            });
            !Dice::at(self.seed, &self.instance, nth).chance(0.1)
        })
    }

    /// One health check of the load balancer.
    pub(crate) fn check(&self) -> bool {
        let flaps = self.inner(|inner| inner.flaps_until).is_some_and(|until| Instant::now() < until);
        !flaps && self.request()
    }

    /// From now on, for so long, the load balancer does not reach the app.
    pub(crate) fn flap(&self, lasts: Duration) {
        self.inner(|inner| inner.flaps_until = Some(Instant::now() + lasts));
    }

    /// Whether the load balancer has a reason of its own not to send it requests: it did not reach it, a while ago at most.
    pub(crate) fn flapped(&self) -> bool {
        /// What the load balancer takes to find it healthy again: two checks, five seconds apart, and some.
        const RECOVERS: Duration = Duration::from_secs(20);
        self.inner(|inner| inner.flaps_until).is_some_and(|until| Instant::now() < until + RECOVERS)
    }

    /// The machine is switched off.
    pub(crate) fn off(&self) {
        self.inner(|inner| inner.up = None);
    }

    /// The machine is switched off and on again: containers stand still, images stay.
    pub(crate) fn reboot(&self) {
        self.inner(|inner| {
            inner.up = None;
            inner.passes = 0;
            inner.containers.iter_mut().for_each(|container| container.running = false);
        });
    }

    fn image_of(labels: BTreeMap<String, String>, exact: Option<String>) -> Image {
        let mut labels = labels;
        labels.entry("adf.toml".to_owned()).or_insert_with(|| ADF_TOML.to_owned());
        let bits = labels.get("adf.release").or(exact.as_ref()).cloned().unwrap_or_default();
        Image {
            id: Digest::of_bytes(bits.as_bytes()).to_string(),
            labels,
            exposed: vec![8080],
            repo_digests: exact.into_iter().collect(),
        }
    }

    fn meta_data(&self, path: &str) -> Option<Bytes> {
        self.cloud.model(|model, _| {
            let instance = model.instance(&self.instance)?;
            match path {
                "meta-data/instance-id" => Some(instance.id.clone().into()),
                "meta-data/placement/region" => Some("us-east-1".into()),
                "meta-data/ami-id" => Some(instance.image_id.clone().into()),
                "meta-data/autoscaling/target-lifecycle-state" => Some(target_state(instance)?.into()),
                "meta-data/spot/instance-action" => Some(spot(instance)?.into()),
                "user-data" => instance.user_data.clone().map(Bytes::from),
                _ => None,
            }
        })
    }
}

fn target_state(instance: &Instance) -> Option<&'static str> {
    Some(match instance.lifecycle_state()? {
        LifecycleState::EnteringStandby | LifecycleState::Standby => "Standby",
        LifecycleState::Detaching => "Detached",
        state if state.is_terminating() => "Terminated",
        _ => "InService",
    })
}

fn spot(instance: &Instance) -> Option<String> {
    let at = instance.spot.termination?;
    Some(format!(r#"{{"action":"terminate","time":"{}"}}"#, at.strftime("%Y-%m-%dT%H:%M:%SZ")))
}

#[async_trait]
impl Imds for Engine {
    async fn token(&self) -> Result<String, ImdsError> {
        Ok("token".to_owned())
    }

    async fn get(&self, path: &str, _: &str) -> Result<Option<Bytes>, ImdsError> {
        Ok(self.meta_data(path))
    }
}

#[async_trait]
impl Docker for Engine {
    async fn ping(&self) -> Result<(), DockerError> {
        Ok(())
    }

    async fn image(&self, tag: &str) -> Result<Option<Image>, DockerError> {
        Ok(self.inner(|inner| inner.images.get(tag).cloned()))
    }

    async fn build(
        &self,
        order: &BuildOrder,
        mut context: BoxStream<'static, std::io::Result<Bytes>>,
    ) -> Result<(), BuildError> {
        while let Some(piece) = context.next().await {
            piece.map_err(|e| BuildError::bare(BuildProblem::Lost(e.to_string())))?;
        }
        let (median, p95) = self.pace.build;
        sleep(self.dice("build").lognormal(median, p95)).await;
        if self.fate == Fate::Unbuildable {
            return Err(BuildError::bare(BuildProblem::Dockerfile {
                message: format!("could not install with {SENTINEL}"),
                exit: Some(1),
            }));
        }
        let image = Self::image_of(order.labels.clone(), None);
        self.inner(|inner| inner.images.insert(order.tag.clone(), image));
        Ok(())
    }

    async fn pull(&self, image: &ImageRef, _: Option<&Credentials>) -> Result<(), RegistryError> {
        let (median, p95) = self.pace.pull;
        sleep(self.dice("pull").lognormal(median, p95)).await;
        let labels =
            image.digest().and_then(|digest| self.pushed(|all| all.get(&digest.to_string()).cloned()));
        let pulled = Self::image_of(labels.unwrap_or_default(), Some(image.exact()));
        self.inner(|inner| inner.images.insert(image.exact(), pulled));
        Ok(())
    }

    async fn tag(&self, image: &str, tag: &str) -> Result<(), DockerError> {
        self.inner(|inner| {
            let found = inner.images.iter().find(|(name, i)| i.id == image || name.as_str() == image);
            if let Some(found) = found.map(|(_, image)| image.clone()) {
                inner.images.insert(tag.to_owned(), found);
            }
        });
        Ok(())
    }

    async fn push(&self, image: &ImageRef, _: Option<&Credentials>) -> Result<Digest, RegistryError> {
        let (median, p95) = self.pace.pull;
        sleep(self.dice("push").lognormal(median, p95)).await;
        let digest = Digest::of_bytes(image.exact().as_bytes());
        let labels = self.inner(|inner| inner.images.get(&image.exact()).map(|image| image.labels.clone()));
        self.pushed(|all| all.insert(digest.to_string(), labels.unwrap_or_default()));
        Ok(digest)
    }

    async fn data_root(&self) -> Result<Option<PathBuf>, DockerError> {
        Ok(None)
    }

    async fn stock(&self) -> Result<Stock, DockerError> {
        Ok(Stock::default())
    }

    async fn remove_image(&self, tag: &str) -> Result<(), DockerError> {
        self.inner(|inner| inner.images.remove(tag));
        Ok(())
    }

    async fn empty_build_cache(&self) -> Result<(), DockerError> {
        Ok(())
    }

    async fn containers(&self, label: &str, value: &str) -> Result<Vec<Container>, DockerError> {
        let ours = |c: &&Container| c.labels.get(label).is_some_and(|v| v == value);
        Ok(self.inner(|inner| inner.containers.iter().filter(ours).cloned().collect()))
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<String, DockerError> {
        Ok(self.inner(|inner| {
            inner.created += 1;
            inner.passes = 0;
            inner.releases.extend(spec.labels.get("adf.release").cloned());
            let id = format!("c{}", inner.created);
            let container = Container { id: id.clone(), labels: spec.labels.clone(), running: false };
            inner.containers.push(container);
            id
        }))
    }

    async fn start(&self, id: &str) -> Result<(), DockerError> {
        let runs = self.fate != Fate::Exits;
        self.inner(|inner| {
            inner.containers.iter_mut().filter(|c| c.id == id).for_each(|c| c.running = runs);
            inner.up = runs.then(Instant::now);
        });
        Ok(())
    }

    async fn state(&self, id: &str) -> Result<ContainerState, DockerError> {
        Ok(self.inner(|inner| match inner.containers.iter().find(|c| c.id == id) {
            Some(container) if container.running => ContainerState::Running,
            Some(_) => ContainerState::Exited { code: 1, out_of_memory: false },
            None => ContainerState::Gone,
        }))
    }

    async fn healthcheck(&self, _: &str) -> Result<Healthcheck, DockerError> {
        Ok(Healthcheck::Absent)
    }

    async fn logs(&self, _: &str, _: usize) -> Result<Vec<String>, DockerError> {
        // An app that prints its own secret.
        Ok(vec!["starting".to_owned(), format!("cannot log in to the database with {SENTINEL}")])
    }

    async fn stop(&self, id: &str, _: Duration) -> Result<(), DockerError> {
        sleep(Duration::from_secs(1)).await;
        self.inner(|inner| {
            inner.containers.iter_mut().filter(|c| c.id == id).for_each(|c| c.running = false);
            inner.up = None;
        });
        Ok(())
    }

    async fn remove(&self, id: &str) -> Result<(), DockerError> {
        self.inner(|inner| inner.containers.retain(|c| c.id != id));
        Ok(())
    }
}

#[async_trait]
impl Prober for Engine {
    async fn probe(&self, _: &ProbeTarget, _: Duration) -> Result<(), String> {
        let well = self.request();
        self.inner(|inner| inner.passes = if well { inner.passes + 1 } else { 0 });
        if well { Ok(()) } else { Err("503".to_owned()) }
    }
}

#[async_trait]
impl Guard for Engine {
    async fn holds(&self) -> Result<bool, GuardError> {
        Ok(true)
    }

    async fn raise(&self) -> Result<(), GuardError> {
        Ok(())
    }
}

impl Host for Engine {
    /// Up to ten minutes off, as operators' clocks are.
    fn now(&self) -> Timestamp {
        let mut dice = self.dice("clock");
        let wrong = dice.small(1, 100) <= self.pace.wrong_clocks;
        let ahead = if wrong { i64::from(dice.small(0, 1200)) - 600 } else { 0 };
        self.cloud.now() + SignedDuration::from_secs(ahead)
    }

    fn memory(&self) -> Option<u64> {
        Some(4_187_593_113)
    }

    fn disk(&self, _: &Path) -> Option<Disk> {
        Some(Disk { free_bytes: 50 << 30, free_inodes: None })
    }

    fn oom_kills(&self) -> Option<u64> {
        Some(0)
    }

    fn oom_victim(&self) -> Option<String> {
        None
    }
}

/// The traits that the agent asks for, all of one instance.
pub(crate) fn world(
    engine: &Arc<Engine>,
    connect: Arc<dyn adf_agent::world::Connect>,
) -> adf_agent::world::World {
    adf_agent::world::World {
        imds: engine.clone(),
        docker: engine.clone(),
        prober: engine.clone(),
        connect,
        guard: engine.clone(),
        host: engine.clone(),
    }
}
