//! Clean-up: nothing that is in use goes, what goes can come back, and only what could is deleted for good.

use adf_local::cloud::Cloud;
use adf_store::{CurrentRelease, Edits, Ignored, Moment, OverlayPlan, Plan, Store, StoreError, Use};
use adf_types::{ConfigName, DeployId, DeployRecord, Outcome, Receipt, ReleaseRecord};
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

use crate::{
    app, clean_up, deploy_record, name, pairs, receipt, release, release_record, seen, store, values,
};

const LONG_AGO: &str = "1";

/// Base, and an Overlay of v1.
async fn with_overlay() -> (Cloud, Store) {
    let (cloud, store) = store().await;
    store.set_config(&app(), None, &values(&[("FOO", "World")])).await.expect("set");
    store.set_config(&app(), Some(&release("v1")), &values(&[("ONLY_V1", "x")])).await.expect("set");
    (cloud, store)
}

async fn save(store: &Store, deploy: DeployRecord) {
    let lock = store.take_lock(&app(), "ann", None).await.expect("free");
    store.save_deploy(&lock, &deploy).await.expect("ours");
    store.free_lock(lock).await.expect("ours");
}

/// A deploy from v1 to v2 that is over.
fn ended() -> DeployRecord {
    let finished_at = Some(Timestamp::UNIX_EPOCH);
    DeployRecord { outcome: Some(Outcome::Succeeded), finished_at, ..deploy_record() }
}

async fn plan(store: &Store) -> Plan {
    store.plan_clean_up(&app(), None, Ignored::default()).await.expect("readable")
}

async fn of_v1(store: &Store) -> OverlayPlan {
    let overlays = plan(store).await.overlays;
    overlays.into_iter().find(|o| o.release == release("v1")).expect("the history tells of it")
}

/// The plan finds this use, and cleaning up leaves the Overlay alone.
async fn stays(store: &Store, used: Use) {
    let plan = plan(store).await;
    assert_eq!(plan.overlays.iter().map(|o| o.uses.clone()).collect::<Vec<_>>(), [[used]]);
    assert_eq!(store.clean_up(&plan).await.expect("nothing to do"), adf_store::Swept::default());
    assert_eq!(seen(store, "v1").await, pairs(&[("FOO", "World"), ("ONLY_V1", "x")]));
}

#[tokio::test(start_paused = true)]
async fn the_overlay_of_a_release_that_was_not_deployed_yet_stays() {
    let (_cloud, store) = with_overlay().await;
    stays(&store, Use::NotYetDeployed).await;
    store.put_release(&release_record("v1", 1)).await.expect("new");
    stays(&store, Use::NotYetDeployed).await;
}

#[tokio::test(start_paused = true)]
async fn the_overlay_of_the_current_release_stays() {
    let (_cloud, store) = with_overlay().await;
    let lock = store.take_lock(&app(), "ann", None).await.expect("free");
    save_current(&store, &lock).await;
    store.free_lock(lock).await.expect("ours");
    stays(&store, Use::Current).await;
}

async fn save_current(store: &Store, lock: &adf_store::Lock) {
    let current = CurrentRelease { current: release("v1"), previous: None };
    store.save_deploy(lock, &ended()).await.expect("ours");
    store.set_current(lock, &current).await.expect("ours");
}

#[tokio::test(start_paused = true)]
async fn the_overlay_of_a_release_that_a_receipt_names_stays_unless_the_instance_is_known_to_go() {
    let (_cloud, store) = with_overlay().await;
    save(&store, ended()).await;
    let receipt = Receipt { release: release("v1"), ..receipt() };
    store.put_receipt(&receipt).await.expect("written");
    stays(&store, Use::Instances(vec![receipt.instance.clone()])).await;

    let ignored = Ignored { instances: &[receipt.instance], ..Ignored::default() };
    let plan = store.plan_clean_up(&app(), Some(&release("v1")), ignored).await.expect("readable");
    assert!(plan.overlays[0].goes());
}

#[tokio::test(start_paused = true)]
async fn the_overlay_of_a_release_that_an_open_deploy_names_stays_unless_that_deploy_asks() {
    let (_cloud, store) = with_overlay().await;
    let open = deploy_record();
    save(&store, open.clone()).await;
    stays(&store, Use::OpenDeploy(open.id.clone())).await;

    let other = DeployId::new();
    for (asks, goes) in [(&open.id, true), (&other, false)] {
        let ignored = Ignored { deploy: Some(asks), ..Ignored::default() };
        let plan = store.plan_clean_up(&app(), Some(&release("v1")), ignored).await.expect("readable");
        assert_eq!(plan.overlays[0].goes(), goes);
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_older_than_a_hundred_deploys_that_is_in_none_of_them_was_given_up() {
    let (_cloud, store) = with_overlay().await;
    let before = Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_secs(1);
    store.put_release(&ReleaseRecord { created_at: before, ..release_record("v1", 1) }).await.expect("new");
    let lock = store.take_lock(&app(), "ann", None).await.expect("free");
    for n in 1..=100 {
        assert_eq!(of_v1(&store).await.uses, [Use::NotYetDeployed], "after {n} deploys");
        let deploy =
            DeployRecord { id: DeployId::new(), from: Some(release("v8")), to: release("v9"), ..ended() };
        store.save_deploy(&lock, &deploy).await.expect("ours");
    }
    assert_eq!(of_v1(&store).await.uses, []);
}

#[tokio::test(start_paused = true)]
async fn a_deploy_that_begins_after_the_proof_stops_clean_up() {
    let (_cloud, store) = with_overlay().await;
    save(&store, ended()).await;
    let plan = plan(&store).await;
    assert!(plan.overlays[0].goes());
    let lock = store.take_lock(&app(), "ben", None).await.expect("free");
    let error = store.clean_up(&plan).await.expect_err("a deploy began");
    assert!(matches!(error, StoreError::DeployBegan { .. }), "{error}");
    assert_eq!(seen(&store, "v1").await, pairs(&[("FOO", "World"), ("ONLY_V1", "x")]));

    // The lock is held, and nobody can tell yet which releases its deploy will name.
    let beginning = store.plan_clean_up(&app(), None, Ignored::default()).await.expect("readable");
    let error = store.clean_up(&beginning).await.expect_err("ben is beginning");
    assert!(matches!(error, StoreError::LockHeld { .. }), "{error}");
    store.free_lock(lock).await.expect("ours");
    assert_eq!(clean_up(&store, &release("v1")).await, [name("ONLY_V1")]);
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_was_taken_over_says_nothing_of_the_deploy_before() {
    let (_cloud, store) = with_overlay().await;
    let dead = store.take_lock(&app(), "ann", None).await.expect("free");
    store.save_deploy(&dead, &ended()).await.expect("ours");
    let held = store.lock(&app()).await.expect("readable").expect("ann died with it");
    let lock = store.take_lock(&app(), "ben", Some(&held)).await.expect("taken over");
    let plan = store.plan_clean_up(&app(), None, Ignored::default()).await.expect("readable");
    assert!(plan.beginning().is_some(), "nobody knows yet what ben deploys");
    // A fence that was read before ben said what for is no proof after it.
    let usage = store.usage(&app()).await.expect("readable");
    store.save_deploy(&lock, &deploy_record()).await.expect("ours");
    let edits = Edits { fence: usage.fence().cloned(), ..Edits::unset(vec![name("FOO")]) };
    let error = store.edit_config(&app(), None, &edits).await.expect_err("a deploy began");
    assert!(matches!(error, StoreError::DeployBegan { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_overlay_of_megabytes_goes_comes_back_and_is_restored_from_history() {
    let (_cloud, store) = with_overlay().await;
    let v1 = release("v1");
    for n in 0..12 {
        let large = (name(&format!("LARGE_{n:02}")), n.to_string().repeat(350_000 / n.to_string().len()));
        store.set_config(&app(), Some(&v1), &[large]).await.expect("set");
    }
    let full = store.read_layer(&app(), Some(&v1)).await.expect("readable");
    let last = store.history(&app(), 1).await.expect("readable").remove(0).id;
    assert_eq!(clean_up(&store, &v1).await.len(), 13);
    assert_eq!(store.restore_overlay(&app(), &v1).await.expect("restored").len(), 13);
    let names: Vec<_> = full.iter().map(|(name, _)| name.clone()).collect();
    for part in names.chunks(5) {
        store.unset_config(&app(), Some(&v1), part).await.expect("unset");
    }
    let then = store.config_at(&app(), Some(&v1), &Moment::After(last)).await.expect("known");
    store.restore_config(&app(), Some(&v1), &then, None).await.expect("restored");
    assert_eq!(store.read_layer(&app(), Some(&v1)).await.expect("readable"), full);
}

#[tokio::test(start_paused = true)]
async fn a_large_overlay_goes_whole() {
    let (_cloud, store) = with_overlay().await;
    let many: Vec<_> = (0..97).map(|i| (name(&format!("N{i}")), i.to_string())).collect();
    store.set_config(&app(), Some(&release("v1")), &many).await.expect("set");
    assert_eq!(clean_up(&store, &release("v1")).await.len(), 98);
    assert_eq!(seen(&store, "v1").await, pairs(&[("FOO", "World")]));
    assert_eq!(store.restore_overlay(&app(), &release("v1")).await.expect("restored").len(), 98);
}

/// Sets an attribute behind the store's back.
async fn put(cloud: &Cloud, layer: &str, item_name: &str, attribute: &str, value: AttributeValue) {
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config());
    let update = client.update_item().table_name("adf-config");
    let update = update.key("App", AttributeValue::S(layer.to_owned()));
    let update = update.key("Name", AttributeValue::S(item_name.to_owned()));
    let update = update.update_expression("SET #a = :v").expression_attribute_names("#a", attribute);
    update.expression_attribute_values(":v", value).send().await.expect("updated");
}

async fn purged(store: &Store) -> Vec<ConfigName> {
    let swept = store.clean_up(&plan(store).await).await.expect("swept");
    assert_eq!(swept.cleaned, []);
    swept.purged.into_iter().flat_map(|(_, names)| names).collect()
}

#[tokio::test(start_paused = true)]
async fn what_was_cleaned_up_loses_its_value_after_its_time_and_a_mark_stays() {
    let (cloud, store) = with_overlay().await;
    let v1 = release("v1");
    store.set_config(&app(), Some(&v1), &values(&[("ALSO", "y")])).await.expect("set");
    clean_up(&store, &v1).await;
    assert_eq!(purged(&store).await, []);

    put(&cloud, "web@v1", "ONLY_V1", "RestorableUntil", AttributeValue::N(LONG_AGO.to_owned())).await;
    assert_eq!(purged(&store).await, [name("ONLY_V1")]);
    assert_eq!(purged(&store).await, [], "once");
    // The release was made for a config that had it: it does not start with what is left, and is not restored to a part.
    let error = store.boot_config(&app(), &v1, None).await.expect_err("not whole").to_string();
    assert!(error.starts_with("E152 the config of release v1 of web was cleaned up"), "{error}");
    let error = store.restore_overlay(&app(), &v1).await.expect_err("a value is gone").to_string();
    assert!(error.contains("config ONLY_V1 of release v1 was deleted"), "{error}");

    store.set_config(&app(), Some(&v1), &values(&[("ONLY_V1", "z")])).await.expect("set again");
    assert_eq!(store.restore_overlay(&app(), &v1).await.expect("restored"), [name("ALSO")]);
    assert_eq!(seen(&store, "v1").await, pairs(&[("ALSO", "y"), ("FOO", "World"), ("ONLY_V1", "z")]));
}

#[tokio::test(start_paused = true)]
async fn the_release_that_a_rollback_goes_to_keeps_its_values_however_old() {
    let (cloud, store) = with_overlay().await;
    clean_up(&store, &release("v1")).await;
    let lock = store.take_lock(&app(), "ann", None).await.expect("free");
    let current = CurrentRelease { current: release("v2"), previous: Some(release("v1")) };
    store.set_current(&lock, &current).await.expect("ours");
    store.free_lock(lock).await.expect("ours");
    put(&cloud, "web@v1", "ONLY_V1", "RestorableUntil", AttributeValue::N(LONG_AGO.to_owned())).await;
    assert!(of_v1(&store).await.previous);
    assert_eq!(purged(&store).await, []);
    assert_eq!(store.restore_overlay(&app(), &release("v1")).await.expect("restored"), [name("ONLY_V1")]);
}

#[tokio::test(start_paused = true)]
async fn what_was_restored_since_the_plan_is_not_deleted() {
    let (cloud, store) = with_overlay().await;
    clean_up(&store, &release("v1")).await;
    put(&cloud, "web@v1", "ONLY_V1", "RestorableUntil", AttributeValue::N(LONG_AGO.to_owned())).await;
    let plan = plan(&store).await;
    store.restore_overlay(&app(), &release("v1")).await.expect("restored");
    assert_eq!(store.clean_up(&plan).await.expect("swept").purged, []);
    assert_eq!(seen(&store, "v1").await, pairs(&[("FOO", "World"), ("ONLY_V1", "x")]));
}

#[tokio::test(start_paused = true)]
async fn history_past_its_time_is_deleted_and_the_current_values_are_not() {
    let (cloud, store) = with_overlay().await;
    store.set_config(&app(), None, &values(&[("FOO", "Moon")])).await.expect("set");
    let all = store.history(&app(), 10).await.expect("readable");
    assert_eq!(store.purge_history(&app()).await.expect("nothing is old"), 0);
    for old in &all[1..] {
        let key = format!("{}#00", old.id);
        put(&cloud, "web#history", &key, "PurgeAfter", AttributeValue::N(LONG_AGO.to_owned())).await;
    }
    assert_eq!(store.purge_history(&app()).await.expect("purged"), 2);
    assert_eq!(store.history(&app(), 10).await.expect("readable"), all[..1]);
    assert_eq!(seen(&store, "v1").await, pairs(&[("FOO", "Moon"), ("ONLY_V1", "x")]));
}
