//! One delivery by one rival: from its start to the app's first 200.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use super::footprint::{self, Memory};
use super::release::Release;
use super::server::Server;
use crate::failure::{Failure, Result, While};
use crate::{process, workspace};

/// The address that the app's port is published on: nobody else's.
pub(crate) const BIND: Ipv4Addr = Ipv4Addr::new(127, 92, 0, 1);
const PORT: u16 = 8080;

/// Between two looks whether the app answers.
const LOOK: Duration = Duration::from_millis(10);

/// 300 MB over a slow link and through a cold cache take a minute; what takes three hangs.
const LIMIT: Duration = Duration::from_mins(3);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rival {
    /// Docker alone, the context given in the right form.
    Floor,
    /// The flow of 2013 as a script.
    ByHand,
    Agent,
}

impl Rival {
    pub(crate) const ALL: [Self; 3] = [Self::Floor, Self::ByHand, Self::Agent];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::ByHand => "by-hand",
            Self::Agent => "agent",
        }
    }
}

/// What a delivery stands on.
#[derive(Debug, Clone)]
pub(crate) struct Ground {
    pub(crate) folder: PathBuf,
    pub(crate) server: Server,
    /// Where DynamoDB answers.
    pub(crate) endpoint: String,
    pub(crate) agent: PathBuf,
    /// Names images and containers of this run.
    pub(crate) prefix: String,
    /// Where the app's port is published.
    pub(crate) bind: Ipv4Addr,
    /// The network namespace that the agent runs in, when it is not this machine's own.
    pub(crate) namespace: Option<String>,
}

/// What a delivery took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Delivered {
    pub(crate) seconds: f64,
    /// Of the agent alone.
    pub(crate) memory: Option<Memory>,
    /// From the start of the process to its first question to metadata; of the agent alone.
    pub(crate) first_byte: Option<Duration>,
}

/// An app that answers, and the rival that started it; ends both when told to.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    container: String,
}

impl Ground {
    /// Delivers `release` under a name that no earlier delivery had.
    pub(crate) async fn deliver(
        &self,
        rival: Rival,
        release: &Release,
        name: &str,
    ) -> Result<(Delivered, Running)> {
        self.serve(release, name);
        let log = self.folder.join(format!("{name}.log"));
        let mut command = self.command(rival, release, name)?;
        let file = std::fs::File::create(&log).while_(log.display())?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(file).kill_on_drop(true);
        self.server.first_asked();
        let started = Instant::now();
        let mut child = command.spawn().while_(rival.name())?;
        let answered = answers(&mut child, rival, self.bind, started).await;
        let seconds = started.elapsed().as_secs_f64();
        if let Err(failure) = answered {
            let said = std::fs::read_to_string(&log).unwrap_or_default();
            return Err(Failure::new(format!("{name}: {failure}\n{said}")));
        }
        let of_agent = (rival == Rival::Agent).then(|| child.id()).flatten();
        let memory = of_agent.map(footprint::memory).transpose()?;
        let first_byte = of_agent.and(self.server.first_asked()).map(|asked| asked - started);
        let container = match rival {
            Rival::Agent => format!("adf-bench-{}", instance(name)),
            Rival::Floor | Rival::ByHand => self.tag(name).replace(['/', ':'], "-"),
        };
        Ok((Delivered { seconds, memory, first_byte }, Running { child, container }))
    }

    /// Metadata of a new instance, and its release.
    fn serve(&self, release: &Release, name: &str) {
        // Plain http is for loopback only; over the link the same server plays S3.
        let url = match self.namespace {
            None => format!("http://{}/bench/release.tar.gz", self.server.address),
            Some(_) => "s3://bench/release.tar.gz".to_owned(),
        };
        self.server.file("/bench/release.tar.gz", release.archive.clone());
        let user_data = format!("APP=\"bench\"\nRELEASE=\"{name}\"\nRELEASE_URL=\"{url}\"\n");
        self.server.text("/latest/user-data", user_data);
        self.server.text("/latest/meta-data/instance-id", instance(name));
        self.server.text("/latest/meta-data/placement/region", "us-east-1");
        self.server.text("/latest/meta-data/iam/security-credentials/", "adf");
        let credentials = r#"{"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIABENCH", "SecretAccessKey": "secret",
            "Token": "token", "LastUpdated": "2026-01-01T00:00:00Z", "Expiration": "2099-01-01T00:00:00Z"}"#;
        self.server.text("/latest/meta-data/iam/security-credentials/adf", credentials);
    }

    fn command(&self, rival: Rival, release: &Release, name: &str) -> Result<Command> {
        let metadata = format!("http://{}", self.server.address);
        let tag = self.tag(name);
        let mut command = match rival {
            Rival::Agent => {
                let settings = self.settings(name)?;
                let mut command = self.start_agent();
                command.args(["run", "--config"]).arg(settings);
                command
                    .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &metadata)
                    .env("AWS_ENDPOINT_URL", &self.endpoint)
                    .env("AWS_ENDPOINT_URL_S3", &metadata);
                for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"]
                {
                    command.env_remove(name);
                }
                command
            }
            Rival::ByHand => Command::new(workspace::root().join("xtask/bench/by-hand.sh")),
            Rival::Floor => Command::new(workspace::root().join("xtask/bench/floor.sh")),
        };
        command
            .env("METADATA", metadata)
            .env("ENDPOINT", &self.endpoint)
            .env("CONTEXT", &release.context)
            .env("BIND", self.bind.to_string())
            .env("PORT", PORT.to_string())
            .env("NAME", tag.replace(['/', ':'], "-"))
            .env("TAG", tag);
        Ok(command)
    }

    fn start_agent(&self) -> Command {
        let Some(namespace) = &self.namespace else { return Command::new(&self.agent) };
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace]).arg(&self.agent);
        command
    }

    fn settings(&self, name: &str) -> Result<PathBuf> {
        let path = self.folder.join(format!("{name}.toml"));
        let (bind, prefix) = (self.bind, &self.prefix);
        let folder = self.folder.join(name);
        let folder = folder.display();
        let text = format!(
            "bind = \"{bind}\"\nrun_dir = \"{folder}\"\nstate_dir = \"{folder}\"\nimage_prefix = \"{prefix}\"\n\
             block_imds = false\n"
        );
        std::fs::write(&path, text).while_(path.display())?;
        Ok(path)
    }

    fn tag(&self, name: &str) -> String {
        format!("{}/bench:{name}", self.prefix)
    }
}

/// The download alone, with curl from the ground's network; in seconds.
pub(crate) async fn download(ground: &Ground) -> Result<f64> {
    let url = format!("http://{}/bench/release.tar.gz", ground.server.address);
    let started = Instant::now();
    let mut command = match &ground.namespace {
        None => Command::new("curl"),
        Some(namespace) => {
            let mut command = Command::new("ip");
            command.args(["netns", "exec", namespace, "curl"]);
            command
        }
    };
    let status = command.args(["-sSf", "-o", "/dev/null", &url]).status().await.while_("curl")?;
    if status.success() {
        Ok(started.elapsed().as_secs_f64())
    } else {
        Err(Failure::new(format!("curl ended with {status}")))
    }
}

impl Running {
    /// The process of the rival.
    pub(crate) fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Ends the rival and removes its container; the image stays, for warm deliveries.
    pub(crate) async fn end(mut self) -> Result<()> {
        process::terminate(&self.child);
        let ended = tokio::time::timeout(LIMIT, self.child.wait()).await;
        ended.map_err(|_| Failure::new("a rival did not end"))?.while_("waiting for a rival")?;
        process::output(std::process::Command::new("docker").args(["rm", "--force", &self.container]))
            .map(drop)
    }
}

/// One delivery, one instance.
fn instance(name: &str) -> String {
    format!("i-{name}")
}

async fn answers(child: &mut Child, rival: Rival, bind: Ipv4Addr, started: Instant) -> Result<()> {
    let address = SocketAddr::from((bind, PORT));
    while started.elapsed() < LIMIT {
        if answers_200(address).await {
            return Ok(());
        }
        let ended = child.try_wait().while_(rival.name())?;
        if let Some(status) = ended.filter(|status| !status.success()) {
            return Err(Failure::new(format!("{} ended with {status}", rival.name())));
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(Failure::new(format!("the app did not answer within {} s", LIMIT.as_secs())))
}

async fn answers_200(address: SocketAddr) -> bool {
    let asked = async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: app\r\nConnection: close\r\n\r\n").await?;
        let mut start = [0; 12];
        stream.read_exact(&mut start).await?;
        std::io::Result::Ok(start.ends_with(b" 200"))
    };
    asked.await.unwrap_or(false)
}
