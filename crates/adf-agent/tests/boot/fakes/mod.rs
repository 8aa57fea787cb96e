//! Everything outside the agent, scripted: each call is written down, in order, and answered from a plan.

mod outside;

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adf_agent::agent::Agent;
use adf_agent::exit::Exit;
use adf_agent::run::run;
use adf_agent::settings::Settings;
use adf_agent::world::{
    BuildError, Completion, Container, ContainerState, Disk, DockerError, FetchError, GuardError,
    Healthcheck, Image, ImdsError, LifecycleError, RegistryError, Stock, TableError, World,
};
use adf_types::{Config, InstanceState, Receipt, ReleaseImage, ReleaseRecord};
use flate2::Compression;
use flate2::write::GzEncoder;

use outside::Gate;

/// Long enough for any boot, short of the first restart back-off.
pub(crate) const A_WHILE: Duration = Duration::from_mins(1);

/// Longer than `boot_timeout` and everything after it.
pub(crate) const LONG: Duration = Duration::from_hours(1);

pub(crate) const USER_DATA: &str =
    "APP=\"web\"\nRELEASE=\"v1\"\nRELEASE_URL=\"s3://releases/web-v1.tar.gz\"\n";

/// Something that happens outside while the agent runs.
pub(crate) type Event = Box<dyn Fn(&mut Plan, &Agent) + Send>;

/// What the outside answers.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own that a test sets or leaves alone"
)]
pub(crate) struct Plan {
    pub(crate) instance: &'static str,
    pub(crate) user_data: String,
    /// In the place of `user_data`, where it is no text.
    pub(crate) raw_user_data: Option<&'static [u8]>,
    pub(crate) tags: Vec<(&'static str, &'static str)>,
    /// Answers of metadata before the good ones.
    pub(crate) imds: VecDeque<ImdsError>,
    pub(crate) config: Result<Vec<(&'static str, &'static str)>, TableError>,
    pub(crate) config_takes: Duration,
    pub(crate) record: Option<ReleaseRecord>,
    pub(crate) record_refused: Option<TableError>,
    pub(crate) receipts_refused: bool,
    pub(crate) archive: Vec<u8>,
    /// What stands beside the archive as its `.minisig`.
    pub(crate) signature: Option<String>,
    /// agent.toml, but for what this plan says elsewhere.
    pub(crate) settings: Settings,
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
    pub(crate) terminating_hook: bool,
    /// Answers to completing a lifecycle action before the good one.
    pub(crate) completions: VecDeque<Result<Completion, LifecycleError>>,
    /// What happens to the world at these times after the agent's start.
    pub(crate) events: Vec<(Duration, Event)>,
    /// Metadata below `meta-data/` that most instances do not have.
    pub(crate) metadata: BTreeMap<&'static str, String>,
    /// How the image's HEALTHCHECK stands at each look; the last one stays.
    pub(crate) healthchecks: VecDeque<Healthcheck>,
    /// Docker's API does not answer.
    pub(crate) docker_down: bool,
    pub(crate) stop_takes: Duration,
    pub(crate) replace_unhealthy_after: Duration,
    pub(crate) heartbeat: Duration,
    pub(crate) image: Option<Image>,
    pub(crate) containers: Vec<Container>,
    /// Answers of the registry to pulls before the good ones.
    pub(crate) pulls: VecDeque<RegistryError>,
    /// What a pull brings.
    pub(crate) pulled: Option<Image>,
    pub(crate) pushes: VecDeque<RegistryError>,
    pub(crate) push_takes: Duration,
    /// The image of the release that is recorded.
    pub(crate) release_image: Option<ReleaseImage>,
    pub(crate) stock: Stock,
    pub(crate) disk: Disk,
    /// What removing one image, and emptying the cache, gives back.
    pub(crate) image_frees: u64,
    pub(crate) cache_frees: u64,
    pub(crate) oom_kills: u64,
    pub(crate) kills_while_building: u64,
    pub(crate) oom_victim: Option<&'static str>,
    pub(crate) guarded: bool,
    pub(crate) guard_broken: Option<GuardError>,
    /// What is there after a build that reported an error.
    pub(crate) image_after_build: Option<Image>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            instance: "i-0abc",
            user_data: USER_DATA.to_owned(),
            raw_user_data: None,
            tags: Vec::new(),
            imds: VecDeque::new(),
            config: Ok(vec![("FOO", "hunter2")]),
            config_takes: Duration::ZERO,
            record: None,
            record_refused: None,
            receipts_refused: false,
            archive: archive(&[("Dockerfile", "FROM scratch\n"), ("adf.toml", "[run]\nport = 8080\n")]),
            signature: None,
            settings: Settings::default(),
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
            terminating_hook: false,
            completions: VecDeque::new(),
            events: Vec::new(),
            metadata: BTreeMap::new(),
            healthchecks: VecDeque::new(),
            docker_down: false,
            stop_takes: Duration::ZERO,
            replace_unhealthy_after: Duration::ZERO,
            heartbeat: Duration::from_mins(5),
            image: None,
            containers: Vec::new(),
            pulls: VecDeque::new(),
            pulled: None,
            pushes: VecDeque::new(),
            push_takes: Duration::ZERO,
            release_image: None,
            stock: Stock::default(),
            disk: Disk { free_bytes: 50 << 30, free_inodes: None },
            image_frees: 0,
            cache_frees: 0,
            oom_kills: 0,
            kills_while_building: 0,
            oom_victim: None,
            guarded: false,
            guard_broken: None,
            image_after_build: None,
        }
    }
}

/// A release archive whose adf.toml is this.
pub(crate) fn release(adf_toml: &str) -> Vec<u8> {
    archive(&[("Dockerfile", "FROM scratch\n"), ("adf.toml", adf_toml)])
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

impl Plan {
    fn run(&mut self, id: &str, running: bool) {
        self.containers.iter_mut().filter(|c| c.id == id).for_each(|c| c.running = running);
    }
}

pub(crate) struct Outside {
    plan: Mutex<Plan>,
    began: tokio::time::Instant,
    calls: Mutex<Vec<(Duration, String)>>,
    receipts: Mutex<Vec<Receipt>>,
}

/// What a run left behind.
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) calls: Vec<String>,
    /// When each call was made, after the agent's start.
    at: Vec<Duration>,
    trouble: Option<String>,
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

    /// When these calls were made.
    pub(crate) fn times(&self, call: &str) -> Vec<Duration> {
        self.calls.iter().zip(&self.at).filter(|(c, _)| c.starts_with(call)).map(|(_, at)| *at).collect()
    }

    /// The times between the calls.
    pub(crate) fn gaps(&self, call: &str) -> Vec<u64> {
        self.times(call).windows(2).map(|pair| pair[1].saturating_sub(pair[0]).as_secs()).collect()
    }

    /// The reason and, where it got so far, the receipts of an agent that failed before it could write any.
    pub(crate) fn last_words(&self) -> (String, usize) {
        (self.trouble.clone().expect("a reason"), self.receipts.len())
    }

    pub(crate) fn last(&self) -> &Receipt {
        self.receipts.last().expect("a receipt")
    }

    /// The boot ended for this reason, was abandoned once, and built and started nothing.
    #[track_caller]
    pub(crate) fn failed_before_a_build(&self, reason: &str) {
        let (seen, _) = self.failure();
        assert!(seen.starts_with(reason), "{seen}");
        assert_eq!((self.exit, self.count("Abandon web adf-launch")), (Exit::Permanent, 1));
        assert_eq!(
            (self.find("build begins"), self.find("create"), self.find("Continue")),
            (None, None, None)
        );
    }

    pub(crate) fn failure(&self) -> (String, Vec<String>) {
        match &self.last().state {
            InstanceState::Failed { reason, log_tail, .. } => (reason.clone(), log_tail.clone()),
            other => panic!("not failed: {other:?}"),
        }
    }
}

/// Runs a whole agent against `plan` and tells it to stop after `stop` of virtual time.
pub(crate) fn play(plan: Plan, stop: Duration) -> std::pin::Pin<Box<dyn Future<Output = Ran>>> {
    Box::pin(async move { play_in(&tempfile::tempdir().expect("a temporary folder"), plan, stop).await })
}

/// The same with other settings.
pub(crate) async fn play_with(plan: Plan, stop: Duration, change: impl FnOnce(&mut Settings)) -> Ran {
    play_all(&tempfile::tempdir().expect("a temporary folder"), plan, stop, change).await
}

/// The same with what an earlier run left in `dir`.
pub(crate) async fn play_in(dir: &tempfile::TempDir, plan: Plan, stop: Duration) -> Ran {
    play_all(dir, plan, stop, |_| {}).await
}

async fn play_all(
    dir: &tempfile::TempDir,
    plan: Plan,
    stop: Duration,
    change: impl FnOnce(&mut Settings),
) -> Ran {
    let outside = Outside::of(plan);
    let (mut events, settings, replace_unhealthy_after) =
        outside.plan(|p| (std::mem::take(&mut p.events), p.settings.clone(), p.replace_unhealthy_after));
    let mut settings = Settings {
        run_dir: dir.path().to_owned(),
        state_dir: dir.path().join("state"),
        replace_unhealthy_after,
        ..settings
    };
    change(&mut settings);
    let began = outside.began;
    let agent = Agent::new(outside.world(), settings);
    events.sort_by_key(|(at, _)| *at);
    let happening = async {
        for (at, event) in events {
            tokio::time::sleep_until(began + at).await;
            outside.plan(|p| event(p, &agent));
        }
        std::future::pending::<()>().await;
    };
    let exit = tokio::select! {
        exit = Box::pin(run(&agent, tokio::time::sleep(stop))) => exit,
        () = happening => unreachable!("events never end"),
    };
    let (at, calls) = outside.take_calls().into_iter().unzip();
    Ran {
        exit,
        calls,
        at,
        trouble: agent.reporter.last_trouble().map(|trouble| trouble.problem),
        receipts: outside.receipts.lock().expect("not poisoned").clone(),
        took: began.elapsed(),
    }
}

/// `adf-agent check` against `plan`: its lines or its error, and the calls that it made.
pub(crate) async fn check(plan: Plan) -> (Result<Vec<String>, String>, Vec<String>) {
    let outside = Outside::of(plan);
    let agent = Agent::new(outside.world(), Settings::default());
    let lines = Box::pin(adf_agent::check::check(&agent)).await.map_err(|failure| failure.reason);
    (lines, outside.take_calls().into_iter().map(|(_, call)| call).collect())
}

impl Outside {
    fn of(plan: Plan) -> Arc<Self> {
        Arc::new(Self {
            plan: Mutex::new(plan),
            began: tokio::time::Instant::now(),
            calls: Mutex::default(),
            receipts: Mutex::default(),
        })
    }

    fn world(self: &Arc<Self>) -> World {
        World {
            imds: self.clone(),
            docker: self.clone(),
            prober: self.clone(),
            connect: Arc::new(Gate(self.clone())),
            guard: self.clone(),
            host: self.clone(),
        }
    }

    fn take_calls(&self) -> Vec<(Duration, String)> {
        std::mem::take(&mut *self.calls.lock().expect("not poisoned"))
    }

    fn call(&self, what: impl Into<String>) {
        self.calls.lock().expect("not poisoned").push((self.began.elapsed(), what.into()));
    }

    fn plan<T>(&self, read: impl FnOnce(&mut Plan) -> T) -> T {
        read(&mut self.plan.lock().expect("not poisoned"))
    }
}

/// What Docker says when it is not there.
pub(crate) fn docker_down() -> DockerError {
    DockerError::NotAnswering { host: "/var/run/docker.sock".into(), problem: "no such file".into() }
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
