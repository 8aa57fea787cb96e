//! `cargo xtask bench agent`: the agent against Docker alone and against the flow of 2013 by hand.

use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::Args;
use tabled::builder::Builder;
use tabled::settings::object::Columns;
use tabled::settings::{Alignment, Style};

use super::footprint;
use super::link::{self, Link};
use super::median;
use super::release::{Ballast, Source};
use super::rivals::{self, BIND, Delivered, Ground, Rival};
use super::server::Server;
use crate::ctl::Ctl;
use crate::failure::{Result, While};
use crate::local::Local;
use crate::{docker, process, programs};

/// How long an idle agent is looked at.
const IDLE: Duration = Duration::from_secs(20);

/// What an agent probes at that has served for a while.
const INTERVAL: &str = "5s";

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Rounds for each release; medians are printed
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Sizes in MiB of the releases, one file of noise each
    #[arg(long, value_delimiter = ',', default_values_t = [1, 50, 300])]
    sizes: Vec<u32>,
    /// Small files of one more release; 0 for none
    #[arg(long, default_value_t = 20_000)]
    files: u32,
    /// Without the deliveries over a slow link
    #[arg(long)]
    no_link: bool,
}

pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let docker = docker::ensure().await?;
    let measured = measure(options).await;
    docker.stop()?;
    measured.map(|()| ExitCode::SUCCESS)
}

async fn measure(options: &Options) -> Result<()> {
    let programs = programs::programs()?;
    let agent = programs::optimised_agent()?;
    let folder =
        tempfile::Builder::new().prefix("adf-bench-").tempdir().while_("making a temporary folder")?;
    let local = Local::start(&programs, folder.path()).await?;
    prepare(&local, &programs, folder.path()).await?;
    let ground = Ground {
        folder: folder.path().to_owned(),
        server: Server::start(([127, 0, 0, 1], 0).into()).await?,
        endpoint: format!("http://{}", local.endpoint()?),
        agent: agent.clone(),
        prefix: format!("adf-bench-{}", std::process::id()),
        bind: BIND,
        namespace: None,
    };
    let mut measured = tables(options, &ground, &programs.hello).await;
    if measured.is_ok() && !options.no_link {
        measured = over_a_link(options, ground.clone(), &programs.hello, &local).await;
    }
    remove_images(&ground.prefix)?;
    local.stop().await?;
    let size = std::fs::metadata(&agent).while_(agent.display())?.len();
    println!("\nthe agent's program: {:.1} MB, stripped", mega(size));
    measured
}

/// The tables, and config for the agent and the script to read.
async fn prepare(local: &Local, programs: &programs::Programs, folder: &std::path::Path) -> Result<()> {
    let app = folder.join("app");
    std::fs::create_dir_all(&app).while_(app.display())?;
    std::fs::write(app.join("adf.toml"), "[app]\nname = \"bench\"\nbucket = \"bench\"\n")
        .while_("adf.toml")?;
    let ctl = Ctl { program: programs.ctl.clone(), folder: app, environment: local.environment() };
    ctl.run(&["init"]).await?;
    ctl.run(&["config", "set", "FOO=world"]).await.map(drop)
}

async fn tables(options: &Options, ground: &Ground, hello: &std::path::Path) -> Result<()> {
    let sizes = options.sizes.iter().map(|size| Ballast::Mebibytes(*size));
    let files = (options.files > 0).then_some(Ballast::Files(options.files));
    let mut table = Builder::new();
    table.push_record([
        "RELEASE",
        "CACHE",
        "FLOOR s",
        "BY HAND s",
        "AGENT s",
        "AGENT/FLOOR",
        "AGENT/BY HAND",
        "PEAK MiB",
    ]);
    let mut first_bytes = Vec::new();
    for (number, ballast) in sizes.chain(files).enumerate() {
        let folder = ground.folder.join(format!("source-{number}"));
        let source = Source::create(&folder, ballast, hello)?;
        let (cold, warm) = rounds(options, ground, &source, number).await?;
        for (cache, seen) in [("cold", &cold), ("warm", &warm)] {
            first_bytes.extend(seen.of(Rival::Agent).filter_map(|delivered| delivered.first_byte));
            table.push_record(row(&ballast.to_string(), cache, seen));
        }
        std::fs::remove_dir_all(&folder).while_(folder.display())?;
    }
    println!("From the start to the app's first 200, medians of {} rounds\n", options.rounds);
    println!("{}", table.build().with(Style::blank()).modify(Columns::new(2..), Alignment::right()));
    let first_bytes: Vec<f64> = first_bytes.iter().map(|d| d.as_secs_f64() * 1000.0).collect();
    println!("\nprocess start to the first question to metadata: {:.1} ms", median(first_bytes));
    idle(ground, hello).await
}

/// What was seen of one release, in one state of the cache.
#[derive(Debug, Default)]
struct Seen(Vec<(Rival, Delivered)>);

impl Seen {
    fn of(&self, rival: Rival) -> impl Iterator<Item = Delivered> {
        self.0.iter().filter(move |(of, _)| *of == rival).map(|(_, delivered)| *delivered)
    }

    fn median(&self, rival: Rival) -> f64 {
        median(self.of(rival).map(|delivered| delivered.seconds).collect())
    }
}

/// Every rival delivers the same ballast twice a round: packed anew, and once more unchanged.
async fn rounds(options: &Options, ground: &Ground, source: &Source, number: usize) -> Result<(Seen, Seen)> {
    let (mut cold, mut warm) = (Seen::default(), Seen::default());
    for round in 0..options.rounds {
        for rival in Rival::ALL {
            let name = format!("{number}-{round}-{}", rival.name());
            let release = source.pack(&name)?;
            for (seen, cache) in [(&mut cold, "cold"), (&mut warm, "warm")] {
                let (delivered, running) =
                    ground.deliver(rival, &release, &format!("{name}-{cache}")).await?;
                seen.0.push((rival, delivered));
                running.end().await?;
            }
            remove_images(&ground.prefix)?;
        }
        eprintln!("round {} of {} done", round + 1, options.rounds);
    }
    Ok((cold, warm))
}

fn row(release: &str, cache: &str, seen: &Seen) -> [String; 8] {
    let [floor, by_hand, agent] = Rival::ALL.map(|rival| seen.median(rival));
    let peaks = seen.of(Rival::Agent).filter_map(|delivered| delivered.memory);
    let peak = peaks.map(|memory| memory.peak).max().unwrap_or_default();
    let seconds = |value: f64| format!("{value:.2}");
    [
        release.to_owned(),
        cache.to_owned(),
        seconds(floor),
        seconds(by_hand),
        seconds(agent),
        seconds(agent / floor),
        seconds(agent / by_hand),
        format!("{:.1}", mebi(peak)),
    ]
}

/// An agent that serves and has nothing to do.
async fn idle(ground: &Ground, hello: &std::path::Path) -> Result<()> {
    let source = Source::create(&ground.folder.join("idle"), Ballast::Mebibytes(1), hello)?;
    source.probed_every(INTERVAL)?;
    let release = source.pack("idle")?;
    let (_, running) = ground.deliver(Rival::Agent, &release, "idle").await?;
    if let Some(process) = running.id() {
        tokio::time::sleep(IDLE).await;
        let wakeups = footprint::wakeups(process, IDLE).await?;
        let memory = footprint::memory(process)?;
        println!(
            "idle: {:.1} MiB resident ({:.1} of them its own, the rest pages of its program), {wakeups:.1} wake-ups a second \
             with a probe every {INTERVAL}",
            mebi(memory.now),
            mebi(memory.own)
        );
    }
    running.end().await
}

/// The agent against the bare download, from a network namespace behind a slow link.
async fn over_a_link(
    options: &Options,
    ground: Ground,
    hello: &std::path::Path,
    local: &Local,
) -> Result<()> {
    let link = Link::create()?;
    let server = Server::start((link::HERE, 0).into()).await?;
    server.delay(link::ROUND_TRIP);
    let endpoint = format!("http://{}", link::forward(local.endpoint()?).await?);
    let namespace = Some(link.namespace.clone());
    let ground = Ground { server, endpoint, bind: link::HERE, namespace, ..ground };
    let mut table = Builder::new();
    table.push_record(["RELEASE", "DOWNLOAD ALONE s", "AGENT s", "AGENT/DOWNLOAD"]);
    for (number, size) in options.sizes.iter().enumerate() {
        let folder = ground.folder.join(format!("link-{number}"));
        let source = Source::create(&folder, Ballast::Mebibytes(*size), hello)?;
        let (mut alone, mut delivered) = (Vec::new(), Vec::new());
        for round in 0..options.rounds {
            let name = format!("link-{number}-{round}");
            let release = source.pack(&name)?;
            let (seen, running) = ground.deliver(Rival::Agent, &release, &name).await?;
            delivered.push(seen.seconds);
            running.end().await?;
            alone.push(rivals::download(&ground).await?);
            remove_images(&ground.prefix)?;
        }
        let (alone, delivered) = (median(alone), median(delivered));
        let cells = [alone, delivered, delivered / alone].map(|value| format!("{value:.2}"));
        table.push_record(std::iter::once(format!("{size} MB")).chain(cells));
        std::fs::remove_dir_all(&folder).while_(folder.display())?;
    }
    println!("\nOver a link of {} with {} ms to each answer\n", link::RATE, link::ROUND_TRIP.as_millis());
    println!("{}", table.build().with(Style::blank()).modify(Columns::new(1..), Alignment::right()));
    Ok(())
}

fn remove_images(prefix: &str) -> Result<()> {
    let reference = format!("reference={prefix}/*");
    let listed = process::output(Command::new("docker").args(["images", "--quiet", "--filter", &reference]))?;
    let images: Vec<&str> = listed.split_whitespace().collect();
    if images.is_empty() {
        return Ok(());
    }
    process::output(Command::new("docker").args(["rmi", "--force"]).args(images)).map(drop)
}

fn mebi(kibibytes: u64) -> f64 {
    f64::from(u32::try_from(kibibytes).unwrap_or(u32::MAX)) / 1024.0
}

fn mega(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes).unwrap_or(u32::MAX)) / 1e6
}
