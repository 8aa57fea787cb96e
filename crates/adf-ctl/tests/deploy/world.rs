//! An account with an app of three instances, and agents that do what a release makes them do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adf_ctl::aws::Lifecycle;
use adf_ctl::cli::SettingsArgs;
use adf_ctl::context::Context;
use adf_ctl::deploy::clock::Clock;
use adf_ctl::deploy::stop::Stop;
use adf_ctl::deploy::view::View;
use adf_ctl::deploy::{self, DeployError, DeployOptions, Ended, RestartOptions, Seat};
use adf_ctl::printer::{Format, Printer};
use adf_ctl::settings::{AppNames, Settings};
use adf_local::cloud::Cloud;
use adf_local::model;
use adf_types::{DeployRecord, ReleaseRecord, Step};
use aws_config::SdkConfig;
use jiff::Timestamp;
use tokio::time::sleep;

use crate::account::{self, release_at};
pub(crate) use crate::account::{app, config_name, name};
use crate::agents::{self, Fate};

pub(crate) const CAPACITY: u32 = 3;

/// More than draining and the end of a machine take.
const SETTLE: Duration = Duration::from_secs(20);

/// Short times, so that a deploy's steps are told apart by seconds.
const ADF_TOML: &str = "[app]\nname = \"web\"\n\
    [deploy]\nbake = \"5s\"\nmin_probes = 4\nwatch = \"20s\"\nboot_timeout = \"2m\"\n";

#[derive(Clone)]
pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) context: Context,
    fates: Arc<Mutex<BTreeMap<String, Fate>>>,
    watched: Arc<Mutex<Option<usize>>>,
    folder: Arc<tempfile::TempDir>,
    #[expect(dead_code, reason = "held: the agents end with the last handle to their world")]
    agents: Arc<Agents>,
}

/// The task that plays the agents.
struct Agents(tokio::task::JoinHandle<()>);

impl Drop for Agents {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl World {
    /// Everything that `init` makes; releases v1, v2 and v3; nothing deployed yet.
    pub(crate) async fn empty(settings: model::Settings) -> Self {
        let cloud = Cloud::with_settings(settings, 1, Timestamp::UNIX_EPOCH);
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("adf.toml"), ADF_TOML).expect("write adf.toml");
        let context = context(&cloud.sdk_config(), folder.path());
        let (fates, watched) = (Arc::default(), Arc::default());
        let played = agents::run(cloud.clone(), context.clone(), Arc::clone(&fates), Arc::clone(&watched));
        let agents = Arc::new(Agents(tokio::spawn(played)));
        let world = Self { cloud, context, fates, watched, folder: Arc::new(folder), agents };
        account::found(&world.cloud, &world.context, CAPACITY, 5).await;
        account::put_archives(&world.context, &["v1", "v2", "v3"]).await;
        for name in ["v1", "v2", "v3"] {
            world.context.store.put_release(&release(name)).await.expect("a new release");
        }
        world
    }

    /// v1 serves on three instances, and from here on somebody counts what serves.
    pub(crate) async fn serving() -> Self {
        Self::serving_in(model::Settings::default()).await
    }

    pub(crate) async fn serving_in(settings: model::Settings) -> Self {
        let world = Self::empty(settings).await;
        let record = world.deploy("v1").await;
        assert_eq!(record.outcome, Some(adf_types::Outcome::Succeeded), "{record:#?}");
        world.watch();
        world
    }

    /// What instances of a release do from now on.
    pub(crate) fn fate(&self, release: &str, fate: Fate) {
        self.fates.lock().unwrap_or_else(PoisonError::into_inner).insert(release.to_owned(), fate);
    }

    /// The same world, reached through another connection.
    pub(crate) fn through(&self, sdk: &SdkConfig) -> Self {
        Self { context: context(sdk, self.folder.path()), ..self.clone() }
    }

    /// From here on adf.toml says more under `[deploy]`, for whoever is connected after this.
    pub(crate) fn say(&self, more: &str) {
        std::fs::write(self.folder.path().join("adf.toml"), format!("{ADF_TOML}{more}"))
            .expect("write adf.toml");
    }

    pub(crate) fn names(&self) -> &AppNames {
        self.context.settings.app().expect("adf.toml names it")
    }

    /// Deploys to the end, whichever.
    pub(crate) async fn deploy(&self, release: &str) -> DeployRecord {
        closed(self.try_deploy(release).await.expect("a driven deploy"))
    }

    pub(crate) async fn try_deploy(&self, release: &str) -> Result<Ended, DeployError> {
        self.deploy_with(&DeployOptions::of(name(release))).await
    }

    pub(crate) async fn deploy_with(&self, options: &DeployOptions) -> Result<Ended, DeployError> {
        let mut seat = self.seat();
        Box::pin(deploy::run(&self.context, self.names(), options, &mut seat)).await
    }

    pub(crate) async fn restart(&self, options: &RestartOptions) -> Result<Ended, DeployError> {
        let mut seat = self.seat();
        Box::pin(deploy::restart(&self.context, self.names(), options, &mut seat)).await
    }

    pub(crate) async fn rollback(&self) -> Result<Ended, DeployError> {
        let mut seat = self.seat();
        Box::pin(deploy::rollback(&self.context, self.names(), "a test wants it", &mut seat)).await
    }

    /// A driver at work somewhere else.
    pub(crate) fn start(&self, release: &'static str) -> tokio::task::JoinHandle<Result<Ended, DeployError>> {
        let world = self.clone();
        tokio::spawn(async move { world.try_deploy(release).await })
    }

    /// Until the open deploy is at a step.
    pub(crate) async fn until(&self, step: Step) -> DeployRecord {
        for _ in 0..600 {
            let open = self.context.store.open_deploy(&app()).await.expect("readable");
            if let Some(open) = open.filter(|open| open.step == step) {
                return open;
            }
            sleep(Duration::from_millis(500)).await;
        }
        panic!("the deploy did not reach {step} in 5 minutes");
    }

    /// Until all three have drained.
    pub(crate) async fn until_the_old_stand_by(&self) {
        for _ in 0..600 {
            let group = self.context.aws.group("web").await.expect("readable").expect("founded");
            if group.members.iter().filter(|m| m.lifecycle == Lifecycle::Standby).count() == 3 {
                return;
            }
            sleep(Duration::from_millis(500)).await;
        }
        panic!("the old instances did not reach Standby in 5 minutes");
    }

    pub(crate) fn seat(&self) -> Seat {
        let (never, stop) = tokio::sync::watch::channel(false);
        drop(never);
        Seat { clock: Clock::starting_at(self.cloud.now()), stop: Stop::when(stop), view: View::hidden() }
    }

    pub(crate) fn watch(&self) {
        *self.watched.lock().unwrap_or_else(PoisonError::into_inner) = Some(usize::MAX);
    }

    /// The fewest healthy targets since `watch`.
    pub(crate) fn lowest(&self) -> usize {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).expect("watched")
    }

    /// Which release each in-service member runs, and the number of machines that run at all.
    pub(crate) fn running(&self) -> (Vec<String>, usize) {
        self.cloud.model(|model, _| {
            let running = |i: &&model::Instance| i.state == model::InstanceState::Running;
            let machines = model.instances().filter(running).count();
            let members =
                model.instances().filter(|i| i.lifecycle_state() == Some(model::LifecycleState::InService));
            (members.map(|i| agents::release_of(i).unwrap_or_default()).collect(), machines)
        })
    }

    /// Three members of this release serve, nothing else runs, the lock is free.
    pub(crate) async fn assert_only(&self, release: &str) {
        // Machines that were told to stop take a moment.
        sleep(SETTLE).await;
        assert_eq!(self.running(), (vec![release.to_owned(); 3], 3));
        assert_eq!(self.context.store.lock(&app()).await.expect("readable"), None, "the lock is free");
        assert_eq!(self.context.store.open_deploy(&app()).await.expect("readable"), None);
        let current = self.context.store.current(&app()).await.expect("readable").expect("set");
        assert_eq!(current.current, name(release));
    }
}

fn context(sdk: &SdkConfig, folder: &std::path::Path) -> Context {
    let settings = Settings::find(&SettingsArgs::default(), folder).expect("a valid adf.toml");
    Context::on(sdk, settings, Printer::new(Format::Json))
}

pub(crate) fn release(release: &str) -> ReleaseRecord {
    release_at(release, &format!("s3://releases/web/{release}.tar.gz"))
}

pub(crate) fn closed(ended: Ended) -> DeployRecord {
    match ended {
        Ended::Closed { record, .. } => *record,
        Ended::Serving { .. } => panic!("a deploy was expected, but the release serves already"),
    }
}
