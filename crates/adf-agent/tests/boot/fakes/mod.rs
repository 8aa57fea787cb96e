//! Everything outside the agent, scripted: each call is written down, in order, and answered from a plan.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adf_agent::agent::Agent;
use adf_agent::exit::Exit;
use adf_agent::failure::Kind;
use adf_agent::run::run;
use adf_agent::settings::Settings;
use adf_agent::world::{
    Access, ActionResult, Aws, BuildError, BuildOrder, Builder, Completion, Connect, Container,
    ContainerSpec, ContainerState, Docker, DockerError, Download, Fetch, FetchError, Image, Imds, ImdsError,
    LaunchHook, Lifecycle, LifecycleError, Membership, ProbeTarget, Prober, Table, TableError, World,
};
use adf_types::{
    AppName, Config, InstanceId, InstanceState, Receipt, ReleaseName, ReleaseRecord, ReleaseUrl,
};
use async_trait::async_trait;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};

pub(crate) const USER_DATA: &str =
    "APP=\"web\"\nRELEASE=\"v1\"\nRELEASE_URL=\"s3://releases/web-v1.tar.gz\"\n";

/// What the outside answers.
pub(crate) struct Plan {
    pub(crate) instance: &'static str,
    pub(crate) user_data: String,
    pub(crate) tags: Vec<(&'static str, &'static str)>,
    /// Answers of metadata before the good ones.
    pub(crate) imds: VecDeque<ImdsError>,
    pub(crate) config: Result<Vec<(&'static str, &'static str)>, TableError>,
    pub(crate) config_takes: Duration,
    pub(crate) record: Option<ReleaseRecord>,
    pub(crate) receipts_refused: bool,
    pub(crate) archive: Vec<u8>,
    pub(crate) opens: VecDeque<FetchError>,
    pub(crate) pings: VecDeque<DockerError>,
    pub(crate) builds: VecDeque<BuildError>,
    pub(crate) build_takes: Duration,
    pub(crate) starts: VecDeque<DockerError>,
    /// States of the container before it stays running.
    pub(crate) states: VecDeque<ContainerState>,
    /// Results of probes before the default.
    pub(crate) probes: VecDeque<Result<(), String>>,
    pub(crate) probes_then: Result<(), String>,
    /// The state of the instance in its group, when it has one.
    pub(crate) group: Option<&'static str>,
    pub(crate) lifecycle_down: bool,
    pub(crate) heartbeat: Duration,
    pub(crate) image: Option<Image>,
    pub(crate) containers: Vec<Container>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            instance: "i-0abc",
            user_data: USER_DATA.to_owned(),
            tags: Vec::new(),
            imds: VecDeque::new(),
            config: Ok(vec![("FOO", "hunter2")]),
            config_takes: Duration::ZERO,
            record: None,
            receipts_refused: false,
            archive: archive(&[("Dockerfile", "FROM scratch\n"), ("adf.toml", "[run]\nport = 8080\n")]),
            opens: VecDeque::new(),
            pings: VecDeque::new(),
            builds: VecDeque::new(),
            build_takes: Duration::ZERO,
            starts: VecDeque::new(),
            states: VecDeque::new(),
            probes: VecDeque::new(),
            probes_then: Ok(()),
            group: Some("Pending:Wait"),
            lifecycle_down: false,
            heartbeat: Duration::from_mins(5),
            image: None,
            containers: Vec::new(),
        }
    }
}

/// A release archive with these files below `web-v1/`.
pub(crate) fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, data) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, format!("web-v1/{name}"), data.as_bytes()).expect("in memory");
    }
    let mut gzip = tar.into_inner().expect("in memory");
    gzip.flush().expect("in memory");
    gzip.finish().expect("in memory")
}

pub(crate) struct Outside {
    plan: Mutex<Plan>,
    calls: Mutex<Vec<String>>,
    receipts: Mutex<Vec<Receipt>>,
}

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) calls: Vec<String>,
    pub(crate) receipts: Vec<Receipt>,
    pub(crate) took: Duration,
}

impl Ran {
    pub(crate) fn at(&self, call: &str) -> usize {
        self.find(call).unwrap_or_else(|| panic!("no call \"{call}\" in {:#?}", self.calls))
    }

    pub(crate) fn find(&self, call: &str) -> Option<usize> {
        self.calls.iter().position(|c| c.starts_with(call))
    }

    pub(crate) fn count(&self, call: &str) -> usize {
        self.calls.iter().filter(|c| c.starts_with(call)).count()
    }

    pub(crate) fn last(&self) -> &Receipt {
        self.receipts.last().expect("a receipt")
    }

    pub(crate) fn failure(&self) -> (String, Vec<String>) {
        match &self.last().state {
            InstanceState::Failed { reason, log_tail, .. } => (reason.clone(), log_tail.clone()),
            other => panic!("not failed: {other:?}"),
        }
    }
}

/// Runs a whole agent against `plan` and tells it to stop after `stop` of virtual time.
pub(crate) async fn play(plan: Plan, stop: Duration) -> Ran {
    play_in(&tempfile::tempdir().expect("a temporary folder"), plan, stop).await
}

/// The same with what an earlier run left in `dir`.
pub(crate) async fn play_in(dir: &tempfile::TempDir, plan: Plan, stop: Duration) -> Ran {
    let outside =
        Arc::new(Outside { plan: Mutex::new(plan), calls: Mutex::default(), receipts: Mutex::default() });
    let world = World {
        imds: outside.clone(),
        docker: outside.clone(),
        prober: outside.clone(),
        connect: Arc::new(Gate(outside.clone())),
    };
    let settings = Settings {
        run_dir: dir.path().to_owned(),
        state_dir: dir.path().join("state"),
        ..Settings::default()
    };
    let began = tokio::time::Instant::now();
    let exit = run(&Agent::new(world, settings), tokio::time::sleep(stop)).await;
    Ran {
        exit,
        calls: outside.calls.lock().expect("not poisoned").clone(),
        receipts: outside.receipts.lock().expect("not poisoned").clone(),
        took: began.elapsed(),
    }
}

impl Outside {
    fn call(&self, what: impl Into<String>) {
        self.calls.lock().expect("not poisoned").push(what.into());
    }

    fn plan<T>(&self, read: impl FnOnce(&mut Plan) -> T) -> T {
        read(&mut self.plan.lock().expect("not poisoned"))
    }
}

struct Gate(Arc<Outside>);

#[async_trait]
impl Connect for Gate {
    async fn connect(&self, _: &str) -> Aws {
        Aws { table: self.0.clone(), fetch: self.0.clone(), lifecycle: self.0.clone() }
    }
}

#[async_trait]
impl Imds for Outside {
    async fn token(&self) -> Result<String, ImdsError> {
        self.call("imds token");
        Ok("token".to_owned())
    }

    async fn get(&self, path: &str, _: &str) -> Result<Option<Bytes>, ImdsError> {
        self.call(format!("imds {path}"));
        if let Some(error) = self.plan(|p| p.imds.pop_front()) {
            return Err(error);
        }
        Ok(self.plan(|p| match path {
            "meta-data/instance-id" => Some(p.instance.into()),
            "meta-data/placement/region" => Some("us-east-1".into()),
            "meta-data/ami-id" => Some("ami-1".into()),
            "user-data" => Some(p.user_data.clone().into()),
            "meta-data/tags/instance" if !p.tags.is_empty() => {
                Some(p.tags.iter().map(|(k, _)| *k).collect::<Vec<_>>().join("\n").into())
            }
            other => {
                let key = other.strip_prefix("meta-data/tags/instance/")?;
                p.tags.iter().find(|(k, _)| *k == key).map(|(_, v)| (*v).into())
            }
        }))
    }
}

#[async_trait]
impl Table for Outside {
    async fn read_config(&self, app: &AppName, release: &ReleaseName) -> Result<Config, TableError> {
        let (takes, config) = self.plan(|p| (p.config_takes, p.config.clone()));
        tokio::time::sleep(takes).await;
        self.call(format!("config {app} {release}"));
        let pair = |(name, value): (&str, &str)| (name.parse().expect("a name"), value.to_owned());
        config.map(|pairs| pairs.into_iter().map(pair).collect())
    }

    async fn release(&self, _: &AppName, _: &ReleaseName) -> Result<Option<ReleaseRecord>, TableError> {
        self.call("release record");
        Ok(self.plan(|p| p.record.clone()))
    }

    async fn put_receipt(&self, receipt: &Receipt) -> Result<(), TableError> {
        if self.plan(|p| p.receipts_refused) {
            return Err(TableError { kind: Kind::Transient, message: "E151 not reachable".to_owned() });
        }
        let state = serde_json::to_value(&receipt.state).expect("serialises");
        self.call(format!("receipt {}", state["state"].as_str().expect("a word")));
        self.receipts.lock().expect("not poisoned").push(receipt.clone());
        Ok(())
    }
}

#[async_trait]
impl Fetch for Outside {
    async fn open(&self, url: &ReleaseUrl, access: &Access) -> Result<Download, FetchError> {
        let token =
            access.github_token.as_ref().map_or_else(String::new, |t| format!(" with {}", t.expose()));
        self.call(format!("fetch {}{token}", url.public()));
        if let Some(error) = self.plan(|p| p.opens.pop_front()) {
            return Err(error);
        }
        let pieces: Vec<_> =
            self.plan(|p| p.archive.chunks(100).map(Bytes::copy_from_slice).map(Ok).collect());
        Ok(Download { content_type: None, body: stream::iter(pieces).boxed() })
    }
}

#[async_trait]
impl Docker for Outside {
    async fn ping(&self) -> Result<(), DockerError> {
        self.call("docker ping");
        self.plan(|p| p.pings.pop_front()).map_or(Ok(()), Err)
    }

    async fn image(&self, _: &str) -> Result<Option<Image>, DockerError> {
        Ok(self.plan(|p| p.image.clone()))
    }

    async fn build(
        &self,
        order: &BuildOrder,
        mut context: BoxStream<'static, std::io::Result<Bytes>>,
    ) -> Result<(), BuildError> {
        let builder = if order.builder == Builder::BuildKit { "buildkit" } else { "classic" };
        self.call(format!("build begins {builder}"));
        tokio::time::sleep(self.plan(|p| p.build_takes)).await;
        while let Some(piece) = context.next().await {
            piece.map_err(|e| BuildError::Lost(e.to_string()))?;
        }
        if let Some(error) = self.plan(|p| p.builds.pop_front()) {
            return Err(error);
        }
        self.call("build completes");
        let image = Image { id: "sha256:built".into(), labels: order.labels.clone(), exposed: vec![] };
        self.plan(|p| p.image = Some(image));
        Ok(())
    }

    async fn containers(&self, label: &str, value: &str) -> Result<Vec<Container>, DockerError> {
        let ours = |c: &Container| c.labels.get(label).is_some_and(|v| v == value);
        Ok(self.plan(|p| p.containers.iter().filter(|c| ours(c)).cloned().collect()))
    }

    async fn create(&self, spec: &ContainerSpec) -> Result<String, DockerError> {
        self.call(format!("create {} {}", spec.name, spec.env.join(" ")));
        let container = Container { id: "new".into(), labels: spec.labels.clone(), running: true };
        self.plan(|p| p.containers.push(container));
        Ok("new".to_owned())
    }

    async fn start(&self, id: &str) -> Result<(), DockerError> {
        self.call(format!("start {id}"));
        self.plan(|p| p.starts.pop_front()).map_or(Ok(()), Err)
    }

    async fn state(&self, _: &str) -> Result<ContainerState, DockerError> {
        Ok(self.plan(|p| p.states.pop_front()).unwrap_or(ContainerState::Running))
    }

    async fn logs(&self, _: &str, _: usize) -> Result<Vec<String>, DockerError> {
        Ok(vec!["starting".to_owned(), "panic: no database".to_owned()])
    }

    async fn stop(&self, id: &str, grace: Duration) -> Result<(), DockerError> {
        self.call(format!("stop {id} {}s", grace.as_secs()));
        Ok(())
    }

    async fn remove(&self, id: &str) -> Result<(), DockerError> {
        self.call(format!("remove {id}"));
        self.plan(|p| p.containers.retain(|c| c.id != id));
        Ok(())
    }
}

#[async_trait]
impl Prober for Outside {
    async fn probe(&self, _: &ProbeTarget, _: Duration) -> Result<(), String> {
        let result = self.plan(|p| p.probes.pop_front().unwrap_or_else(|| p.probes_then.clone()));
        self.call(if result.is_ok() { "probe passes" } else { "probe fails" });
        result
    }
}

#[async_trait]
impl Lifecycle for Outside {
    async fn membership(&self, _: &InstanceId) -> Result<Option<Membership>, LifecycleError> {
        if self.plan(|p| p.lifecycle_down) {
            return Err(LifecycleError::Failed {
                operation: "autoscaling:Describe",
                problem: "503".to_owned(),
            });
        }
        let state = self.plan(|p| p.group);
        Ok(state.map(|state| Membership { group: "web".to_owned(), state: state.to_owned() }))
    }

    async fn launch_hooks(&self, _: &str) -> Result<Vec<LaunchHook>, LifecycleError> {
        let heartbeat = self.plan(|p| p.heartbeat);
        Ok(vec![LaunchHook { name: "adf-launch".to_owned(), heartbeat }])
    }

    async fn complete(
        &self,
        group: &str,
        hook: &str,
        _: &InstanceId,
        result: ActionResult,
    ) -> Result<Completion, LifecycleError> {
        self.call(format!("{result:?} {group} {hook}"));
        self.plan(|p| p.group = Some("InService"));
        Ok(Completion::Completed)
    }

    async fn heartbeat(&self, _: &str, hook: &str, _: &InstanceId) -> Result<(), LifecycleError> {
        self.call(format!("heartbeat {hook}"));
        Ok(())
    }
}

/// Labels of the container that the default plan makes.
pub(crate) fn labels(ran: &Ran, config: &Config) -> BTreeMap<String, String> {
    let receipt = ran.last();
    [
        ("adf.app", "web".to_owned()),
        ("adf.release", "v1".to_owned()),
        ("adf.instance", receipt.instance.to_string()),
        ("adf.image", receipt.image_id.clone().expect("an image")),
        ("adf.config-hash", config.hash().to_string()),
        ("adf.publish", "0.0.0.0:8080".to_owned()),
        ("adf.digest", String::new()),
        ("adf.url", "s3://releases/web-v1.tar.gz".to_owned()),
        ("adf.toml", "[run]\nport = 8080\n".to_owned()),
    ]
    .map(|(k, v)| (k.to_owned(), v))
    .into()
}
