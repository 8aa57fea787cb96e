//! What the demo tells, in order: the table of contents of a deploy.
//!
//! Neighbours: [`crate::ctl`] runs each command, [`super::load`] counts the requests meanwhile,
//! [`super::checks`] says at the end whether it all held. The rule: nothing is told that did not happen; a
//! command with another exit code than the expected one ends the story.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::load::{self, Counts, Load};
use super::repository::Repository;
use crate::ctl::{self, Ctl, Done, Running};
use crate::failure::{Failure, Result, While};

pub(super) const CAPACITY: u64 = 3;

/// What adf-local has from the start, as an AWS account has: an AMI with the agent, and a subnet in each zone.
const IMAGE: &str = "ami-0adf0000000000001";
const SUBNETS: [&str; 3] =
    ["subnet-0adf0000000000001", "subnet-0adf0000000000002", "subnet-0adf0000000000003"];

/// Above 1023, so that nobody needs to be root.
const LISTENER_PORT: &str = "8000";

/// Seconds; the app answers in milliseconds.
const DRAIN: &str = "2";

/// The config, and so the answers, of each release.
const BASE: &str = "FOO=World";
pub(super) const ONLY_V1: &str = "GREETED_SINCE";
const V1_OVERLAY: &str = "GREETED_SINCE=2013";
const V2_OVERLAY: [&str; 2] = ["FOO=everybody", "MOTD=Nobody noticed the deploy"];
pub(super) const V1_ANSWER: &str = "Hello World from v1\n";
pub(super) const V2_ANSWER: &str = "Hello everybody from v2. Nobody noticed the deploy\n";

/// What v2 is told while it serves, and answers after a restart.
const V2_CHANGE: &str = "MOTD=Nor the restart";
pub(super) const V2_RESTARTED_ANSWER: &str = "Hello everybody from v2. Nor the restart\n";

const ROLLBACK: [&str; 3] = ["rollback", "--reason", "the demo wants v1 back"];

/// Shorter than adf.toml's: nobody wants v1 back a second time.
const SECOND_WATCH: &str = "10s";

/// `deploy` that was rolled back, see docs/exit-codes.md.
const ROLLED_BACK: i32 = 4;

/// How often the story looks whether the deploy has come to its watch.
const LOOK: Duration = Duration::from_millis(500);

/// A deploy comes to its watch within half a minute here.
const WATCH_BEGINS: Duration = Duration::from_mins(2);

/// A part of the load that only one release may answer.
const SAMPLE: Duration = Duration::from_millis(1500);

/// Who answers with [`V2_RESTARTED_ANSWER`].
pub(super) const RESTARTED: &str = "v2 restarted";

/// What the story leaves for checks and tables.
#[derive(Debug)]
pub(super) struct Told {
    /// Each command with what it printed.
    pub(super) first: Done,
    pub(super) undone: Done,
    pub(super) rollback: Done,
    pub(super) second: Done,
    pub(super) restart: Done,
    /// Who answered after the rollback, after the second deploy, and after the restart.
    pub(super) after_rollback: Counts,
    pub(super) after_second: Counts,
    pub(super) after_restart: Counts,
    pub(super) counts: Counts,
    pub(super) load_seconds: f64,
    pub(super) verify: Value,
    pub(super) status: Value,
    pub(super) v1_config: Value,
    pub(super) balancer: SocketAddr,
    /// What took how long, in order.
    pub(super) chapters: Vec<(&'static str, f64)>,
}

pub(super) async fn tell(ctl: Ctl, repository: Repository) -> Result<Told> {
    let mut clock = Chapters::default();
    let balancer = prepare(&ctl).await?;
    clock.chapter("init, config, release v1");
    let first = ctl.run(&["deploy", "v1"]).await?;
    first_answer(balancer).await?;
    clock.chapter("deploy v1: three instances, the first ones");

    let answers = [("v1", V1_ANSWER), ("v2", V2_ANSWER), (RESTARTED, V2_RESTARTED_ANSWER)];
    let answers = answers.map(|(who, answer)| (who, answer.to_owned())).into();
    let load = Load::start(balancer, answers)?;
    eprintln!("\n{} requests a second to http://{balancer}/ from here to the end", load::RATE);
    make_v2(&ctl, &repository).await?;
    clock.chapter("config and release v2");
    let (undone, rollback) = deploy_and_roll_back(&ctl, &load).await?;
    clock.chapter("deploy v2 with a canary, and its rollback");
    let after_rollback = sample(&load).await;
    let second = ctl.run(&["deploy", "v2", "--watch", SECOND_WATCH]).await?;
    clock.chapter("deploy v2 again, to its end");
    let after_second = sample(&load).await;
    ctl.run(&["config", "set", "--release", "v2", V2_CHANGE]).await?;
    let restart = ctl.run(&["restart"]).await?;
    clock.chapter("new config, and a restart of one server after the other");
    let after_restart = sample(&load).await;

    let verify = ctl.run(&["verify"]).await?.json;
    let status = ctl.run(&["status"]).await?.json;
    let v1_config = ctl.run(&["config", "list", "--release", "v1"]).await?.json;
    let load_seconds = load.elapsed().as_secs_f64();
    let counts = load.finish().await?;
    clock.chapter("samples, verify, status");
    let chapters = clock.chapters;
    Ok(Told {
        first,
        undone,
        rollback,
        second,
        restart,
        after_rollback,
        after_second,
        after_restart,
        counts,
        load_seconds,
        verify,
        status,
        v1_config,
        balancer,
        chapters,
    })
}

/// Everything that an app needs before its first deploy; returns where its load balancer answers.
async fn prepare(ctl: &Ctl) -> Result<SocketAddr> {
    let capacity = CAPACITY.to_string();
    let mut init = vec!["init", "--capacity", &capacity, "--image-id", IMAGE, "--instance-profile", "adf"];
    init.extend(["--listener-port", LISTENER_PORT, "--drain", DRAIN]);
    init.extend(SUBNETS.iter().flat_map(|subnet| ["--subnet", subnet]));
    let made = ctl.run(&init).await?.json;
    ctl.run(&["config", "set", BASE]).await?;
    ctl.run(&["config", "set", "--release", "v1", V1_OVERLAY]).await?;
    ctl.run(&["release", "create", "v1"]).await?;
    address(&made)
}

fn address(made: &Value) -> Result<SocketAddr> {
    let name = made["address"].as_str();
    let name = name.ok_or_else(|| Failure::new(format!("init names no load balancer: {made}")))?;
    let mut found = name.to_socket_addrs().while_(format_args!("looking up {name}"))?;
    found.next().ok_or_else(|| Failure::new(format!("{name} has no address")))
}

async fn make_v2(ctl: &Ctl, repository: &Repository) -> Result<()> {
    eprintln!("\n$ git commit, git tag v2   # answer.txt has a second sentence, which needs MOTD");
    repository.change()?;
    let mut set = vec!["config", "set", "--release", "v2"];
    set.extend(V2_OVERLAY);
    ctl.run(&set).await?;
    ctl.run(&["release", "create", "v2"]).await.map(drop)
}

/// Deploys v2 and, once the old instances stand by, wants v1 back.
async fn deploy_and_roll_back(ctl: &Ctl, load: &Load) -> Result<(Done, Done)> {
    let mut deploy = ctl.start(&["deploy", "v2"])?;
    if !watch_begins(ctl, &mut deploy).await? {
        return Err(deploy.end(ROLLED_BACK).await.err().unwrap_or_else(|| {
            Failure::new("`adf-ctl deploy v2` was rolled back before anybody asked for it")
        }));
    }
    // The deploy has the terminal; so this is told when both have ended.
    let answered = load.counts().of("v2");
    let rollback = ctl.start_elsewhere(&ROLLBACK)?;
    let (deploy, rollback) = tokio::join!(deploy.end(ROLLED_BACK), rollback.end(0));
    let (deploy, rollback) = (deploy?, rollback?);
    eprintln!("\n$ {}", ctl::shown(&ROLLBACK));
    eprintln!("asked in another terminal when all instances ran v2, which had given {answered} answers;");
    eprintln!(
        "done after {:.1} s with exit code {}; the deploy's was {}",
        rollback.seconds, rollback.code, deploy.code
    );
    Ok((deploy, rollback))
}

/// Waits for the deploy's watch; `false` if the deploy ended before it.
async fn watch_begins(ctl: &Ctl, deploy: &mut Running) -> Result<bool> {
    let deadline = Instant::now() + WATCH_BEGINS;
    while ctl.ask(&["status"]).await?["deploy"]["step"] != "watch" {
        if deploy.has_ended()? {
            return Ok(false);
        }
        if Instant::now() > deadline {
            return Err(Failure::new(format!(
                "the deploy was not at its watch after {} s",
                WATCH_BEGINS.as_secs()
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(true)
}

/// What the load counts from now on for a moment.
async fn sample(load: &Load) -> Counts {
    let before = load.counts();
    tokio::time::sleep(SAMPLE).await;
    load.counts().since(&before)
}

/// The load balancer passes a new target on after its first health check, which may be seconds away.
async fn first_answer(balancer: SocketAddr) -> Result<()> {
    let answer =
        load::body(balancer).await.map_err(|error| Failure::new(format!("the load balancer: {error}")))?;
    if answer == V1_ANSWER {
        return Ok(());
    }
    Err(Failure::new(format!("v1 was said to serve, but the load balancer answers {answer:?}")))
}

/// Which part of the story took how long.
#[derive(Debug)]
struct Chapters {
    chapters: Vec<(&'static str, f64)>,
    since: Instant,
}

impl Default for Chapters {
    fn default() -> Self {
        Self { chapters: Vec::new(), since: Instant::now() }
    }
}

impl Chapters {
    fn chapter(&mut self, name: &'static str) {
        let now = Instant::now();
        self.chapters.push((name, (now - self.since).as_secs_f64()));
        self.since = now;
    }
}
