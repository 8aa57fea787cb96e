//! `adf-local up`: opens everything, keeps it going, and leaves nothing behind.
//!
//! Everything that can be wrong with the machine is found before anything is opened or made. From then on one loop makes
//! metadata services, load balancers and machines the same as what the model says.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tempfile::TempDir;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::balancer::Balancer;
use crate::cli::Up;
use crate::cloud::Cloud;
use crate::front::{Front, FrontError};
use crate::imds::Imds;
use crate::model::Settings;
use crate::runner::{Docker, DockerError, Runner, RunnerSettings};

/// How soon a change of the model is a change of the machine, at most.
const PACE: Duration = Duration::from_millis(100);
/// A machine that is told to stop has 30 s, and then its containers are removed.
const HALT_LIMIT: Duration = Duration::from_secs(90);

/// Why the cloud did not start, or failed.
#[derive(Debug, thiserror::Error)]
pub enum UpError {
    #[error(transparent)]
    Docker(DockerError),
    #[error(
        "the program adf-agent is not at {}; build it (`cargo build -p adf-agent`) or say where it is with --agent", .0.display()
    )]
    NoAgent(PathBuf),
    #[error(transparent)]
    Front(#[from] FrontError),
    #[error("the directory {} could not be made", dir.display())]
    Dir { dir: PathBuf, source: std::io::Error },
    #[error("this process could not {what}")]
    Process { what: &'static str, source: std::io::Error },
    #[error("the end left something behind")]
    Leftovers(#[source] DockerError),
}

impl UpError {
    /// 2 when nothing was started, 1 when it failed later.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Docker(_) | Self::NoAgent(_) | Self::Front(_) | Self::Dir { .. } => 2,
            Self::Process { .. } | Self::Leftovers(_) => 1,
        }
    }
}

/// Runs the cloud until the process is told to stop.
pub async fn up(options: Up) -> Result<(), UpError> {
    let mut stop = StopSignal::listen()?;
    let machines = if options.no_runner { None } else { Some(Machines::find(&options).await?) };
    let settings = Settings { network: options.network, halt_limit: HALT_LIMIT, ..Settings::default() };
    let cloud = Cloud::with_settings(settings, rand::random(), Timestamp::now());
    let front = Front::open(cloud.clone(), options.port).await?;
    let home = Home::make(options.dir)?;
    let mut live = Live {
        imds: Imds::new(cloud.clone()),
        balancer: Balancer::new(cloud.clone()),
        runner: match machines {
            Some(machines) => Some(machines.runner(cloud, &front, home.path()).await?),
            None => None,
        },
    };
    front.answers().await?;
    tracing::info!(url = front.url(), dir = %home.path().display(), "adf-local is up");
    let announced = announce(&front);
    if announced.is_ok() {
        live.run_until(stop.arrives()).await;
    }
    tracing::info!("adf-local ends; machines are stopped and what they left is removed");
    live.end().await.and(announced)
}

/// Whoever waits for the three lines may use them at once.
fn announce(front: &Front) -> Result<(), UpError> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout.write_all(front.exports().as_bytes()).and_then(|()| stdout.flush());
    written.map_err(|source| UpError::Process { what: "write to stdout", source })
}

/// What real machines need, found before anything is opened.
struct Machines {
    docker: Docker,
    agent: PathBuf,
    launcher: PathBuf,
}

impl Machines {
    async fn find(options: &Up) -> Result<Self, UpError> {
        let docker = Docker::connect().await.map_err(UpError::Docker)?;
        let launcher = std::env::current_exe();
        let launcher =
            launcher.map_err(|source| UpError::Process { what: "find its own program", source })?;
        let agent = options.agent.clone().unwrap_or_else(|| launcher.with_file_name("adf-agent"));
        let agent = agent.canonicalize().map_err(|_| UpError::NoAgent(agent))?;
        Ok(Self { docker, agent, launcher })
    }

    async fn runner(self, cloud: Cloud, front: &Front, dir: &Path) -> Result<Runner, UpError> {
        let settings = RunnerSettings {
            agent: self.agent,
            launcher: self.launcher,
            dir: dir.to_owned(),
            endpoint: front.url(),
            image_prefix: format!("adf-local-{}", front.port()),
        };
        Runner::new(cloud, self.docker, settings).await.map_err(UpError::Docker)
    }
}

/// Everything that follows the model.
struct Live {
    imds: Imds,
    balancer: Balancer,
    runner: Option<Runner>,
}

impl Live {
    async fn run_until(&mut self, stop: impl Future<Output = ()>) {
        let mut pace = tokio::time::interval(PACE);
        pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        tokio::pin!(stop);
        loop {
            tokio::select! {
                () = &mut stop => return,
                _ = pace.tick() => self.reconcile().await,
            }
        }
    }

    /// Metadata first: a machine asks for it as soon as it starts.
    async fn reconcile(&mut self) {
        self.imds.reconcile().await;
        self.balancer.reconcile().await;
        if let Some(runner) = &mut self.runner {
            runner.reconcile().await;
        }
    }

    /// The agents stop first: until they have, they need the API and their metadata.
    async fn end(self) -> Result<(), UpError> {
        match self.runner {
            Some(runner) => runner.stop().await.map_err(UpError::Leftovers),
            None => Ok(()),
        }
    }
}

/// The directory of all instances; a temporary one is removed at the end.
enum Home {
    Kept(PathBuf),
    Temporary(TempDir),
}

impl Home {
    fn make(dir: Option<PathBuf>) -> Result<Self, UpError> {
        let Some(dir) = dir else {
            let made = tempfile::Builder::new().prefix("adf-local-").tempdir();
            return made
                .map(Self::Temporary)
                .map_err(|source| UpError::Dir { dir: std::env::temp_dir(), source });
        };
        let made = std::fs::create_dir_all(&dir).and_then(|()| dir.canonicalize());
        made.map(Self::Kept).map_err(|source| UpError::Dir { dir, source })
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(dir) => dir,
            Self::Temporary(dir) => dir.path(),
        }
    }
}

/// Ctrl-C, SIGTERM, or the end of the terminal.
struct StopSignal([Signal; 3]);

impl StopSignal {
    fn listen() -> Result<Self, UpError> {
        let listen =
            |kind| signal(kind).map_err(|source| UpError::Process { what: "listen for signals", source });
        Ok(Self([
            listen(SignalKind::interrupt())?,
            listen(SignalKind::terminate())?,
            listen(SignalKind::hangup())?,
        ]))
    }

    async fn arrives(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
