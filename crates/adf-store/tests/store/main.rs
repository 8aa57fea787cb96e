//! The store against the DynamoDB that `adf-local` plays, in the same process and in virtual time.

mod broken_lock;
mod clean_up;
mod config_faults;
mod history;
mod meddler;
mod release_image;
mod secrets;
mod whole_config;

use adf_local::cloud::Cloud;
use adf_store::{CurrentRelease, Entry, Ignored, Lock, Store, StoreError, Tables};
use adf_types::{
    AppName, ConfigName, DeployId, DeployRecord, Direction, InstanceState, OperatorRequest, Outcome, Policy,
    ProbeCounts, Progress, Receipt, ReleaseName, ReleaseRecord, Stage, StageTiming, Step, Strategy, Verdict,
};
use jiff::Timestamp;
use std::time::Duration;

async fn store() -> (Cloud, Store) {
    let cloud = Cloud::new("us-east-1", Timestamp::UNIX_EPOCH);
    let store = Store::connect(&cloud.sdk_config(), Tables::default());
    store.create_tables().await.expect("an empty account takes the tables");
    (cloud, store)
}

fn app() -> AppName {
    "web".parse().expect("a name")
}

fn release(name: &str) -> ReleaseName {
    name.parse().expect("a name")
}

fn name(name: &str) -> ConfigName {
    name.parse().expect("a config name")
}

fn values(pairs: &[(&str, &str)]) -> Vec<(ConfigName, String)> {
    pairs.iter().map(|(n, v)| (name(n), (*v).to_owned())).collect()
}

async fn seen(store: &Store, by: &str) -> Vec<(String, String)> {
    let config = store.read_config(&app(), &release(by)).await.expect("readable");
    config.iter().map(|(n, v)| (n.to_string(), v.to_owned())).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
}

/// Cleans up the Overlay of a release that nothing uses: another one was deployed in its place.
async fn clean_up(store: &Store, of: &ReleaseName) -> Vec<ConfigName> {
    let lock = store.take_lock(&app(), "ann", None).await.expect("free");
    let there = DeployRecord { outcome: Some(Outcome::Succeeded), from: Some(of.clone()), ..deploy_record() };
    store.save_deploy(&lock, &there).await.expect("ours");
    store.free_lock(lock).await.expect("ours");
    let plan = store.plan_clean_up(&app(), Some(of), Ignored::default()).await.expect("readable");
    let swept = store.clean_up(&plan).await.expect("nothing uses it");
    swept.cleaned.into_iter().flat_map(|(_, names)| names).collect()
}

fn release_record(named: &str, digest: u8) -> ReleaseRecord {
    ReleaseRecord {
        app: app(),
        release: release(named),
        url: format!("s3://releases/web/{named}.tar.gz").parse().expect("a URL"),
        digest: Some(adf_types::Digest::Sha256([digest; 32])),
        tree: None,
        commit: None,
        config: adf_types::ConfigRules { required: vec![name("FOO")], ..Default::default() },
        created_at: Timestamp::UNIX_EPOCH,
        created_by: "ann".to_owned(),
    }
}

fn receipt() -> Receipt {
    Receipt {
        instance: "i-0a".parse().expect("an id"),
        app: app(),
        release: release("v1"),
        release_digest: None,
        deploy: None,
        image_id: Some("sha256:1".to_owned()),
        image_source: Some(adf_types::ImageSource::Built),
        image_fallback: None,
        image_builder: Some(adf_types::Builder::BuildKit),
        config_hash: None,
        ami: None,
        agent_version: "0.1.0".to_owned(),
        boot_id: None,
        state: InstanceState::Failed {
            stage: Stage::Health,
            reason: "503".to_owned(),
            log_tail: vec!["x".into()],
        },
        timings: vec![StageTiming { stage: Stage::Identify, millis: 12 }],
        probes: ProbeCounts { passed: 3, failed: 1 },
        restarts: 0,
        notice: None,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

fn deploy_record() -> DeployRecord {
    DeployRecord {
        id: DeployId::new(),
        app: app(),
        group: "web".to_owned(),
        from: Some(release("v1")),
        to: release("v2"),
        owner: "ann".to_owned(),
        policy: Policy {
            strategy: Strategy::Surge,
            surge: adf_types::Surge::ALL,
            checkpoints: adf_types::Checkpoints::default(),
            checkpoint_delay: Duration::ZERO,
            canary: true,
            bake: Duration::from_secs(30),
            min_probes: 20,
            judging: adf_types::Judging::default(),
            watch: Duration::from_mins(5),
            deadline: Duration::from_mins(5),
            boot_timeout: Duration::from_mins(10),
        },
        started_at: Timestamp::UNIX_EPOCH,
        step: Step::Judge,
        direction: Direction::Back { reason: "asked".to_owned(), cause: adf_types::Cause::Operator },
        progress: Progress {
            capacity: 3,
            old: vec!["i-1".parse().expect("an id")],
            template_version: Some(2),
            verdict: Some(Verdict::Pass { evidence: "60 of 60 probes".to_owned() }),
            replaced_at: Some(Timestamp::UNIX_EPOCH),
            ..Progress::default()
        },
        log: vec![],
        outcome: None,
        finished_at: None,
    }
}

#[tokio::test(start_paused = true)]
async fn creating_the_tables_again_creates_nothing() {
    let (_cloud, store) = store().await;
    assert_eq!(store.create_tables().await.expect("they are there"), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_release_sees_base_then_its_overlay() {
    let (_cloud, store) = store().await;
    let web = app();
    store.set_config(&web, None, &values(&[("FOO", "World"), ("BAR", "1")])).await.expect("set");
    store.set_config(&web, Some(&release("v2")), &values(&[("FOO", "Moon")])).await.expect("set");
    store.unset_config(&web, Some(&release("v2")), &[name("BAR")]).await.expect("unset");

    assert_eq!(seen(&store, "v1").await, pairs(&[("BAR", "1"), ("FOO", "World")]));
    assert_eq!(seen(&store, "v2").await, pairs(&[("FOO", "Moon")]));
    let overlay = store.read_layer(&web, Some(&release("v2"))).await.expect("readable");
    assert_eq!(
        overlay,
        vec![(name("BAR"), Entry::Unset), (name("FOO"), Entry::Value("Moon".to_owned().into()))]
    );
}

#[tokio::test(start_paused = true)]
async fn unsetting_an_overlay_name_that_base_lacks_removes_it() {
    let (_cloud, store) = store().await;
    let v1 = release("v1");
    store.set_config(&app(), Some(&v1), &values(&[("OLD", "1")])).await.expect("set");
    store.unset_config(&app(), Some(&v1), &[name("OLD")]).await.expect("unset");
    assert_eq!(store.read_layer(&app(), Some(&v1)).await.expect("readable"), vec![]);
}

#[tokio::test(start_paused = true)]
async fn a_change_of_too_many_names_changes_none() {
    let (_cloud, store) = store().await;
    let many: Vec<_> = (0..100).map(|i| (name(&format!("N{i}")), String::new())).collect();
    let error = store.set_config(&app(), None, &many).await.expect_err("100 names");
    assert!(matches!(error, StoreError::TooMany { count: 100, max: 97 }), "{error}");
    assert_eq!(seen(&store, "v1").await, vec![]);
}

#[tokio::test(start_paused = true)]
async fn config_larger_than_a_page_is_read_whole() {
    let (_cloud, store) = store().await;
    let large = "x".repeat(300_000);
    for i in 0..8 {
        store.set_config(&app(), None, &values(&[(&format!("N{i}"), &large)])).await.expect("set");
    }
    assert_eq!(seen(&store, "v1").await.len(), 8);
}

#[tokio::test(start_paused = true)]
async fn cleaned_up_config_is_out_of_every_read_and_comes_back() {
    let (_cloud, store) = store().await;
    let (web, v1) = (app(), release("v1"));
    store.set_config(&web, None, &values(&[("FOO", "World")])).await.expect("set");
    store.set_config(&web, Some(&v1), &values(&[("ONLY_V1", "x"), ("FOO", "Mars")])).await.expect("set");

    let cleaned = clean_up(&store, &v1).await;
    assert_eq!(cleaned, vec![name("FOO"), name("ONLY_V1")]);
    assert_eq!(seen(&store, "v1").await, pairs(&[("FOO", "World")]));
    assert_eq!(clean_up(&store, &v1).await, vec![]);

    assert_eq!(store.restore_overlay(&web, &v1).await.expect("restored").len(), 2);
    assert_eq!(seen(&store, "v1").await, pairs(&[("FOO", "Mars"), ("ONLY_V1", "x")]));
}

#[tokio::test(start_paused = true)]
async fn a_missing_table_is_named() {
    let cloud = Cloud::new("us-east-1", Timestamp::UNIX_EPOCH);
    let store = Store::connect(&cloud.sdk_config(), Tables::default());
    let error = store.read_config(&app(), &release("v1")).await.expect_err("no table");
    assert_eq!(error.to_string(), "E152 cannot read web in table adf-config: the table does not exist");
}

#[tokio::test(start_paused = true)]
async fn an_item_of_old_clients_that_is_no_environment_name_fails_the_read_by_name_not_value() {
    let (cloud, store) = store().await;
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config());
    let text = |s: &str| aws_sdk_dynamodb::types::AttributeValue::S(s.to_owned());
    client
        .put_item()
        .table_name("adf-config")
        .item("App", text("web"))
        .item("Name", text("DB PASS"))
        .item("Value", text("hunter2"))
        .send()
        .await
        .expect("written");
    let error = store.read_config(&app(), &release("v1")).await.expect_err("DB PASS").to_string();
    assert!(error.contains("DB PASS") && !error.contains("hunter2"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_release_is_recorded_once() {
    let (_cloud, store) = store().await;
    let v1 = release_record("v1", 1);
    store.put_release(&v1).await.expect("new");
    store.put_release(&v1).await.expect("the same again is a repeated call, not a change");
    let error = store.put_release(&release_record("v1", 2)).await.expect_err("another digest");
    assert!(matches!(error, StoreError::ReleaseExists { .. }), "{error}");
    assert_eq!(store.release(&app(), &release("v1")).await.expect("readable"), Some(v1));
    assert_eq!(store.release(&app(), &release("v9")).await.expect("readable"), None);
}

#[tokio::test(start_paused = true)]
async fn receipts_are_read_back_as_they_were_written() {
    let (_cloud, store) = store().await;
    let receipt = receipt();
    store.put_receipt(&receipt).await.expect("written");
    assert_eq!(store.receipts(&app()).await.expect("readable"), vec![receipt.clone()]);
    store.delete_receipt(&app(), &receipt.instance).await.expect("deleted");
    store.delete_receipt(&app(), &receipt.instance).await.expect("already gone is success");
    assert_eq!(store.receipts(&app()).await.expect("readable"), vec![]);
}

async fn locked(store: &Store, owner: &str) -> Lock {
    store.take_lock(&app(), owner, None).await.expect("free")
}

#[tokio::test(start_paused = true)]
async fn a_second_operator_is_refused_with_the_holders_name() {
    let (_cloud, store) = store().await;
    let lock = locked(&store, "ann").await;
    match store.take_lock(&app(), "bob", None).await {
        Err(StoreError::LockHeld { held, .. }) => assert_eq!(held.owner, "ann"),
        other => panic!("bob got {other:?}"),
    }
    store.free_lock(lock).await.expect("freed");
    assert_eq!(store.lock(&app()).await.expect("readable"), None);
    locked(&store, "bob").await;
}

#[tokio::test(start_paused = true)]
async fn a_holder_that_was_taken_over_writes_nothing_more() {
    let (_cloud, store) = store().await;
    let anns = locked(&store, "ann").await;
    let record = deploy_record();
    store.save_deploy(&anns, &record).await.expect("hers");

    let seen = store.lock(&app()).await.expect("readable").expect("held");
    assert_eq!(seen.deploy.as_ref(), Some(&record.id));
    let bobs = store.take_lock(&app(), "bob", Some(&seen)).await.expect("seen unchanged");

    let later = DeployRecord { step: Step::Cleanup, ..record.clone() };
    let error = store.save_deploy(&anns, &later).await.expect_err("taken over");
    assert!(matches!(error, StoreError::LockLost { .. }), "{error}");
    assert!(matches!(store.beat(&anns).await, Err(StoreError::LockLost { .. })));
    let current = CurrentRelease { current: release("v2"), previous: None };
    assert!(matches!(store.set_current(&anns, &current).await, Err(StoreError::LockLost { .. })));
    store.free_lock(anns).await.expect("not hers to free");

    assert_eq!(store.deploy(&app(), &record.id).await.expect("readable"), Some(record));
    store.beat(&bobs).await.expect("still his");
}

#[tokio::test(start_paused = true)]
async fn a_lock_whose_holder_beat_meanwhile_is_not_taken_over() {
    let (_cloud, store) = store().await;
    let lock = locked(&store, "ann").await;
    let seen = store.lock(&app()).await.expect("readable").expect("held");
    store.beat(&lock).await.expect("hers");
    let error = store.take_lock(&app(), "bob", Some(&seen)).await.expect_err("she lives");
    assert!(matches!(error, StoreError::LockHeld { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn deploys_are_listed_newest_first_and_only_an_open_one_is_open() {
    let (_cloud, store) = store().await;
    let lock = locked(&store, "ann").await;
    let first = DeployRecord { outcome: Some(Outcome::Succeeded), ..deploy_record() };
    let second = deploy_record();
    store.save_deploy(&lock, &first).await.expect("saved");
    assert_eq!(store.open_deploy(&app()).await.expect("readable"), None);
    store.save_deploy(&lock, &second).await.expect("saved");
    assert_eq!(store.open_deploy(&app()).await.expect("readable"), Some(second.clone()));
    assert_eq!(store.deploys(&app(), 9).await.expect("readable"), vec![second, first]);
}

#[tokio::test(start_paused = true)]
async fn a_request_reaches_whoever_drives_the_deploy() {
    let (_cloud, store) = store().await;
    let id = DeployId::new();
    assert_eq!(store.requested(&app(), &id).await.expect("readable"), None);
    let request = OperatorRequest::Rollback { by: "bob".to_owned(), reason: "5xx".to_owned() };
    assert!(store.request(&app(), &id, &request).await.expect("written"));
    assert_eq!(store.requested(&app(), &id).await.expect("readable"), Some(request));
}

#[tokio::test(start_paused = true)]
async fn nothing_replaces_a_rollback_that_was_asked_for() {
    let (_cloud, store) = store().await;
    let id = DeployId::new();
    let by = || "ann".to_owned();
    let pause = OperatorRequest::Pause { by: by(), limit: std::time::Duration::from_mins(90) };
    let rollback = OperatorRequest::Rollback { by: by(), reason: "5xx".to_owned() };
    assert!(store.request(&app(), &id, &pause).await.expect("written"));
    assert!(store.request(&app(), &id, &OperatorRequest::Resume { by: by() }).await.expect("written"));
    assert!(store.request(&app(), &id, &pause).await.expect("written"));
    assert_eq!(store.requested(&app(), &id).await.expect("readable"), Some(pause.clone()));
    assert!(store.request(&app(), &id, &rollback).await.expect("written"));
    assert!(!store.request(&app(), &id, &pause).await.expect("refused"));
    assert_eq!(store.requested(&app(), &id).await.expect("readable"), Some(rollback));
}

#[tokio::test(start_paused = true)]
async fn the_current_release_is_remembered_with_the_one_before() {
    let (_cloud, store) = store().await;
    let lock = locked(&store, "ann").await;
    let current = CurrentRelease { current: release("v2"), previous: Some(release("v1")) };
    store.set_current(&lock, &current).await.expect("hers");
    assert_eq!(store.current(&app()).await.expect("readable"), Some(current));
}
