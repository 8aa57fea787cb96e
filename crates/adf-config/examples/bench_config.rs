//! Reads of config, measured: by ADF and by the AWS SDK alone, from one endpoint of adf-local, which has a thread of its
//! own. Run by `cargo xtask bench config`, which prints what this prints as JSON.
//!
//! The rule: the rivals take turns in every round; both ask for the same items, and both collect all of them. Beside the
//! time there is the processor's, which the endpoint has no part in.

mod bare;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::Instant;

use adf_config::connect;
use adf_local::cloud::Cloud;
use adf_local::front::Front;
use adf_store::Store;
use adf_types::{AppName, ConfigName, ReleaseName};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use clap::Parser;
use jiff::Timestamp;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use serde::Serialize;
use serde_json::json;

/// Names that fit into one change.
const CHANGE: usize = 97;

/// What an instance reads at its boot: names, and how many of them are secrets.
const BOOT: (usize, usize) = (200, 50);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Debug, Parser)]
struct Options {
    /// The command as it is shipped
    #[arg(long)]
    adf_config: PathBuf,
    /// The same with the SDK alone
    #[arg(long)]
    bare_list: PathBuf,
    #[arg(long)]
    rounds: usize,
    #[arg(long)]
    names: usize,
    /// Bytes of a name and its value together, for each case
    #[arg(long, value_delimiter = ',')]
    bytes: Vec<usize>,
}

fn main() -> Result<()> {
    let options = Options::parse();
    let cloud = Cloud::new("us-east-1", Timestamp::now());
    let front = endpoint(cloud.clone())?;
    let client = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seen = client.block_on(async {
        let bench = Bench { sdk: sdk_config(&front), cloud, front, options };
        connect::store(&bench.sdk).create_tables().await?;
        let mut reads = Vec::new();
        for bytes in &bench.options.bytes {
            reads.extend(bench.reads(*bytes).await?);
        }
        Ok::<_, Box<dyn Error>>(json!({ "reads": reads, "boot": bench.boot().await? }))
    })?;
    println!("{seen}");
    Ok(())
}

/// Opens the endpoint on a runtime that outlives this call.
fn endpoint(cloud: Cloud) -> Result<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || -> std::io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let front = Front::open(cloud, 0).await;
            let _ = sender.send(front.as_ref().map(Front::url).map_err(ToString::to_string));
            std::future::pending::<()>().await;
            drop(front);
        });
        Ok(())
    });
    Ok(receiver.recv()??)
}

fn sdk_config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "bench");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}

struct Bench {
    sdk: SdkConfig,
    cloud: Cloud,
    front: String,
    options: Options,
}

/// One way to read, by both rivals.
#[derive(Debug, Serialize)]
struct Read {
    how: &'static str,
    bytes: usize,
    pages: usize,
    bare: Vec<Sample>,
    adf: Vec<Sample>,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Sample {
    /// Milliseconds from begin to end.
    time: f64,
    /// Milliseconds of the processor, without the endpoint's.
    cpu: f64,
}

impl Bench {
    async fn reads(&self, bytes: usize) -> Result<[Read; 3]> {
        let app: AppName = format!("web-{bytes}").parse()?;
        let store = connect::store(&self.sdk);
        let client = aws_sdk_dynamodb::Client::new(&self.sdk);
        self.fill(&store, &app, bytes).await?;
        self.cloud.take_counts();
        self.whole(store.read_layer(&app, None).await?.len())?;
        let pages = self.cloud.take_counts().get("dynamodb:Query").copied().unwrap_or_default();
        let read = |how| Read { how, bytes, pages, bare: Vec::new(), adf: Vec::new() };
        let [mut layer, mut list, mut process] =
            ["Store::read_layer", "list::list", "adf-config list --json"].map(read);
        for round in 0..=self.options.rounds {
            let (start, cpu) = (Instant::now(), own_cpu()?);
            self.whole(bare::read(&client, app.as_str()).await?.len())?;
            let bare = Sample { time: since(start), cpu: own_cpu()? - cpu };

            let (start, cpu) = (Instant::now(), own_cpu()?);
            self.whole(store.read_layer(&app, None).await?.len())?;
            let adf_layer = Sample { time: since(start), cpu: own_cpu()? - cpu };

            let (start, cpu) = (Instant::now(), own_cpu()?);
            self.whole(adf_config::list::list(&store, &app, None).await?.config.len())?;
            let adf_list = Sample { time: since(start), cpu: own_cpu()? - cpu };

            let bare_process = self.process(&self.options.bare_list, &[app.as_str()])?;
            let adf_process =
                self.process(&self.options.adf_config, &["list", "--json", "--app", app.as_str()])?;
            // The first round warms up: connections, caches, the allocator.
            if round > 0 {
                let pairs = [(bare, adf_layer), (bare, adf_list), (bare_process, adf_process)];
                for (read, (bare, adf)) in [&mut layer, &mut list, &mut process].into_iter().zip(pairs) {
                    read.bare.push(bare);
                    read.adf.push(adf);
                }
            }
        }
        eprintln!("{} names of {bytes} bytes: {} rounds done", self.options.names, self.options.rounds);
        Ok([layer, list, process])
    }

    async fn fill(&self, store: &Store, app: &AppName, bytes: usize) -> Result<()> {
        let name = |n: usize| format!("NAME_{n:05}");
        let value = "x".repeat(bytes.saturating_sub(name(0).len()));
        let values: std::result::Result<Vec<(ConfigName, String)>, _> =
            (0..self.options.names).map(|n| name(n).parse().map(|name| (name, value.clone()))).collect();
        for change in values?.chunks(CHANGE) {
            store.set_config(app, None, change).await?;
        }
        Ok(())
    }

    /// A read that misses an item is no read.
    fn whole(&self, read: usize) -> Result<()> {
        if read == self.options.names {
            return Ok(());
        }
        Err(format!("{read} of {} names were read", self.options.names).into())
    }

    /// A process from its start to its end, its output read.
    fn process(&self, program: &Path, line: &[&str]) -> Result<Sample> {
        let (start, cpu) = (Instant::now(), childrens_cpu()?);
        let output = self.command(program).args(line).output()?;
        let sample = Sample { time: since(start), cpu: childrens_cpu()? - cpu };
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{} ended with {}: {said}", program.display(), output.status).into());
        }
        let quoted = b"\"NAME_";
        self.whole(output.stdout.windows(quoted.len()).filter(|window| window == quoted).count())?;
        Ok(sample)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("HOME", "/nonexistent").env("AWS_EC2_METADATA_DISABLED", "true");
        command.env("AWS_ENDPOINT_URL", &self.front).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local");
        command
    }

    /// The calls of a boot's config read, counted at the endpoint.
    async fn boot(&self) -> Result<serde_json::Value> {
        let (app, release): (AppName, ReleaseName) = ("boot".parse()?, "v2".parse()?);
        let (names, secrets) = BOOT;
        let store = Store::connect(&self.sdk, adf_store::Tables::default());
        let plain: std::result::Result<Vec<(ConfigName, String)>, _> = (secrets..names)
            .map(|n| format!("PLAIN_{n}").parse().map(|name| (name, n.to_string())))
            .collect();
        let plain = plain?;
        let (overlay, base) = plain.split_at(plain.len() / 2);
        store.set_config(&app, None, base).await?;
        store.set_config(&app, Some(&release), overlay).await?;
        self.import_secrets(&app, secrets).await?;

        self.cloud.take_counts();
        // As an instance does: the release's record first, and the version of the config with it.
        let (_, version) = store.release_and_version(&app, &release).await?;
        let record = self.cloud.take_counts();
        let config = store.boot_config(&app, &release, Some(version)).await?;
        let calls = self.cloud.take_counts();
        let read = (config.len(), config.secrets().count());
        if read != BOOT {
            return Err(format!("{read:?} names and secrets were read, not {BOOT:?}").into());
        }
        Ok(json!({ "names": names, "secrets": secrets, "record": record, "calls": calls }))
    }

    /// By the command, in one change.
    async fn import_secrets(&self, app: &AppName, count: usize) -> Result<()> {
        let kms = aws_sdk_kms::Client::new(&self.sdk);
        let key = kms.create_key().send().await?.key_metadata.ok_or("KMS told no key")?.key_id;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("secrets.env");
        let lines: Vec<String> = (0..count).map(|n| format!("SECRET_{n}=secret {n}\n")).collect();
        std::fs::write(&file, lines.concat())?;
        let mut command = self.command(&self.options.adf_config);
        command.args(["import", "--secret", "--kms-key", &key, "--app", app.as_str()]).arg(&file);
        let output = command.output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(format!("secrets were not imported: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}

fn since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1000.0
}

/// Of this thread: what the client does.
fn own_cpu() -> Result<f64> {
    cpu(UsageWho::RUSAGE_THREAD)
}

/// Of the processes that have ended.
fn childrens_cpu() -> Result<f64> {
    cpu(UsageWho::RUSAGE_CHILDREN)
}

fn cpu(who: UsageWho) -> Result<f64> {
    let usage = getrusage(who)?;
    let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(f64::from(u32::try_from(micros)?) / 1000.0)
}
