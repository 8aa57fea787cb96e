//! An app that serves on the real Docker: judged by its own HEALTHCHECK, and given new config in place.

use adf_local::cloud::Cloud;
use adf_local::front::Front;
use adf_store::{Store, Tables};
use adf_types::{ConfigName, Receipt};
use jiff::Timestamp;

use crate::rig::{DOCKERFILE, Rig, answer, archive, eventually, run};

#[tokio::test(flavor = "multi_thread")]
async fn the_images_healthcheck_is_what_docker_says_it_is() {
    let rig = Rig::new().await;
    let dockerfile = format!("{DOCKERFILE}HEALTHCHECK --interval=1s --retries=1 CMD [\"/app\", \"ok\"]\n");
    let toml = b"[run]\ninterval = \"200ms\"\nstop_grace = \"1s\"\nhealth = { type = \"docker\" }\n";
    rig.serve("/web.tar.gz", &archive(Some(&dockerfile), &[("adf.toml", toml)])).await;
    rig.told("").await;
    let agent = rig.start(&rig.settings(""), "http://127.0.0.1:9");
    eventually("serving", async || rig.log().contains("serving").then_some(())).await;
    assert!(rig.log().contains("healthy"), "{}", rig.log());
    drop(agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthcheck_that_fails_is_given_up_with_what_it_printed() {
    let rig = Rig::new().await;
    let dockerfile = format!("{DOCKERFILE}HEALTHCHECK --interval=1s --retries=1 CMD [\"/app\", \"no\"]\n");
    let toml = b"[run]\ngrace = \"2s\"\ninterval = \"200ms\"\nhealth = { type = \"docker\" }\n";
    rig.serve("/web.tar.gz", &archive(Some(&dockerfile), &[("adf.toml", toml)])).await;
    rig.told("").await;
    let (code, line) = rig.fails(&rig.settings("")).await;
    assert!(line.contains("E171 the image's HEALTHCHECK gave "), "{line}");
    assert!(line.contains("unhealthy (cannot open the database)"), "{line}");
    assert_eq!((code, rig.containers(false).len()), (Some(78), 0));
}

async fn set(store: &Store, value: &str) {
    let name: ConfigName = "FOO".parse().expect("a name");
    store.set_config(&"web".parse().expect("a name"), None, &[(name, value.to_owned())]).await.expect("set");
}

async fn told(store: &Store, notice: &str) -> Receipt {
    let app = "web".parse().expect("a name");
    eventually(notice, async || {
        let receipts = store.receipts(&app).await.expect("the state table");
        receipts
            .into_iter()
            .find(|r| r.is_serving() && r.notice.as_deref().is_some_and(|n| n.starts_with(notice)))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn sighup_gives_the_app_its_new_config_and_the_old_one_back_when_that_does_not_work() {
    let rig = Rig::new().await;
    let cloud = Cloud::new("us-east-1", Timestamp::now());
    let front = Front::open(cloud.clone(), 0).await.expect("a free port");
    let store = Store::connect(&cloud.sdk_config(), Tables::default());
    store.create_tables().await.expect("created");
    set(&store, "world").await;
    let toml = b"[run]\nstop_grace = \"1s\"\ninterval = \"200ms\"\ngrace = \"10s\"\n";
    rig.serve("/web.tar.gz", &archive(Some(DOCKERFILE), &[("adf.toml", toml)])).await;
    rig.serve_role().await;
    rig.told("APP=web\nRELEASE=v1\n").await;
    let agent = rig.start(&rig.settings(""), &front.url());
    assert_eq!(answer(&rig.address).await, "Hello world from v1");
    let hangup = || assert!(run("kill", &["-HUP", &agent.0.id().to_string()]).status.success());

    set(&store, "reload").await;
    hangup();
    let new = told(&store, "I185 reloaded: the app runs with the new config").await;
    assert_eq!(answer(&rig.address).await, "Hello reload from v1");
    assert_eq!((rig.containers(true).len(), rig.images().len()), (1, 1), "the old container is gone");

    set(&store, "crash").await;
    hangup();
    let kept = told(&store, "W185 not reloaded, the app runs again with its old config: E170").await;
    let notice = kept.notice.unwrap_or_default();
    assert!(
        notice.contains("exited 3 three times") && notice.contains("cannot work with this config"),
        "{notice}"
    );
    assert_eq!(answer(&rig.address).await, "Hello reload from v1");
    assert_eq!((kept.config_hash, rig.containers(true).len()), (new.config_hash, 1));
    drop(agent);
}
