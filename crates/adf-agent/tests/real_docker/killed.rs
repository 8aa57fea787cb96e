//! The agent killed with SIGKILL at every stage boundary and before and after every outside call: the next start finds
//! its way, with one container and the right receipt.
//!
//! `crossing` is the agent's failpoint at each of these places (see `failpoint.rs`); the nth passage of it kills.

use std::os::unix::process::ExitStatusExt as _;
use std::time::Duration;

use adf_local::cloud::Cloud;
use adf_local::front::Front;
use adf_store::{Store, Tables};
use adf_types::{Receipt, ReleaseName};
use jiff::Timestamp;

use crate::rig::{DOCKERFILE, Rig, answer, archive, eventually, run};

/// The crossings are dealt out to so many tests, which run side by side.
const HANDS: usize = 4;

/// A boot that is killed is killed within this.
const LIMIT: Duration = Duration::from_mins(1);

const SETTINGS: &[u8] = b"[run]\nstop_grace = \"1s\"\ninterval = \"50ms\"\n";

struct Table {
    rig: Rig,
    front: Front,
    store: Store,
    archive: Vec<u8>,
}

impl Table {
    async fn set() -> Self {
        let rig = Rig::new().await;
        let cloud = Cloud::new("us-east-1", Timestamp::now());
        let front = Front::open(cloud.clone(), 0).await.expect("a free port");
        let store = Store::connect(&cloud.sdk_config(), Tables::default());
        store.create_tables().await.expect("created");
        let app = "web".parse().expect("a name");
        let value = ("FOO".parse().expect("a name"), "world".into());
        store.set_config(&app, None, &[value]).await.expect("set");
        let archive = archive(Some(DOCKERFILE), &[("adf.toml", SETTINGS)]);
        Self { rig, front, store, archive }
    }

    /// A release that this instance never had: nothing of it is on Docker.
    async fn deal(&self, at: usize) -> ReleaseName {
        self.rig.clear();
        self.rig.forget().await;
        self.rig.serve("/web.tar.gz", &self.archive).await;
        self.rig.serve_role().await;
        let digest = adf_types::Digest::of_bytes(&self.archive);
        self.rig.told(&format!("APP=web\nRELEASE=v{at}\nRELEASE_DIGEST={digest}\n")).await;
        format!("v{at}").parse().expect("a name")
    }

    async fn receipt(&self, release: &ReleaseName) -> Option<Receipt> {
        let receipts = self.store.receipts(&"web".parse().expect("a name")).await.expect("the state table");
        receipts.into_iter().find(|receipt| receipt.release == *release)
    }

    /// Kills a boot at the crossing; tells whether the app had been announced before.
    async fn kill(&self, at: usize, release: &ReleaseName) -> bool {
        let settings = self.rig.settings("");
        let mut command = self.rig.command(&settings, &self.front.url());
        let point =
            if at == 1 { "crossing=return".to_owned() } else { format!("crossing={}*off->return", at - 1) };
        command.env("FAILPOINTS", point).stderr(self.rig.log_file());
        let mut agent = command.spawn().expect("the agent starts");
        let waited = tokio::task::spawn_blocking(move || agent.wait().expect("a child"));
        let status =
            tokio::time::timeout(LIMIT, waited).await.expect("crossing after crossing").expect("no panic");
        assert_eq!(status.signal(), Some(9), "crossing {at} was not what ended it: {status}");
        self.receipt(release).await.is_some_and(|receipt| receipt.is_serving())
    }

    async fn starts_again(&self, at: usize, release: &ReleaseName) {
        let before = self.rig.containers(false);
        let began = Timestamp::now();
        let agent = self.rig.start(&self.rig.settings(""), &self.front.url());
        assert_eq!(answer(&self.rig.address).await, format!("Hello world from {release}"), "crossing {at}");
        let serving = eventually("a serving receipt of this start", async || {
            self.receipt(release).await.filter(|r| r.is_serving() && r.updated_at > began)
        })
        .await;
        let containers = self.rig.containers(true);
        assert_eq!(containers.len(), 1, "crossing {at} left {containers:?}");
        if let [running] = before.as_slice() {
            assert_eq!(containers[0], *running, "crossing {at}: the app that ran was not adopted");
        }
        assert_eq!(
            serving.image_id.expect("an image"),
            inspected(&containers[0], "{{.Image}}"),
            "crossing {at}"
        );
        let config = self.store.read_config(&"web".parse().expect("a name"), release).await.expect("read");
        assert_eq!(serving.config_hash, Some(config.hash()), "crossing {at}");
        drop(agent);
    }
}

fn inspected(container: &str, format: &str) -> String {
    let output = run("docker", &["inspect", "--format", format, container]);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

async fn killed_at_every_crossing_of(hand: usize) {
    let table = Table::set().await;
    let (mut crossings, mut served) = (0, false);
    for at in (hand + 1..).step_by(HANDS) {
        let release = table.deal(at).await;
        // Once more after the first kill of an app that serves: supervision is crossed too.
        let enough = served;
        served = table.kill(at, &release).await;
        table.starts_again(at, &release).await;
        crossings += 1;
        if enough {
            break;
        }
    }
    println!("killed at {crossings} crossings, {HANDS} apart");
    assert!(crossings >= 8, "only {crossings} crossings: the failpoints are not all there");
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_40_killed_at_any_crossing_the_next_start_finds_its_way_1_of_4() {
    killed_at_every_crossing_of(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_40_killed_at_any_crossing_the_next_start_finds_its_way_2_of_4() {
    killed_at_every_crossing_of(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_40_killed_at_any_crossing_the_next_start_finds_its_way_3_of_4() {
    killed_at_every_crossing_of(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_40_killed_at_any_crossing_the_next_start_finds_its_way_4_of_4() {
    killed_at_every_crossing_of(3).await;
}
