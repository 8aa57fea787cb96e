//! What the config table answers when it is not well, and how often it is asked again.

use std::time::Duration;

use adf_local::cloud::Scripted;
use adf_store::{RETRIES, StoreError};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::{app, clean_up, name, pairs, release, seen, store, values};

/// The SDK asks this often.
const TRIES: usize = 10;

fn longest_wait() -> Duration {
    (1..RETRIES.attempts).map(|failed| RETRIES.longest(failed)).sum()
}

#[tokio::test(start_paused = true)]
async fn fault_29_each_form_of_throttling_is_asked_again_ten_times_with_growing_delays() {
    for (code, message) in [
        ("ProvisionedThroughputExceededException", "slow down"),
        ("ThrottlingException", "slow down"),
        ("RequestLimitExceeded", "slow down"),
        ("ValidationException", "Account request rate limit exceeded"),
    ] {
        let (cloud, store) = store().await;
        cloud.script("dynamodb:GetItem", TRIES + 5, &Scripted::error(code, message));
        cloud.take_counts();
        let began = Instant::now();
        let error = store.read_config(&app(), &release("v1")).await.expect_err("throttled");
        assert!(matches!(error, StoreError::Throttled { .. }) && error.is_transient(), "{code}: {error}");
        assert!(error.to_string().starts_with("E150 cannot read web"), "{error}");
        assert_eq!(cloud.take_counts()["dynamodb:GetItem"], TRIES, "{code}");
        assert!(began.elapsed() <= longest_wait(), "{code}: {:?}", began.elapsed());
        assert!(began.elapsed() > Duration::from_secs(1), "{code}: {:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn fault_29_a_read_that_is_throttled_in_its_middle_ends_whole() {
    let (cloud, store) = store().await;
    store.set_config(&app(), None, &values(&[("A", "1"), ("B", "2")])).await.expect("set");
    let slow = Scripted::error("ProvisionedThroughputExceededException", "slow down");
    cloud.script("dynamodb:Query", 9, &slow);
    assert_eq!(seen(&store, "v1").await, pairs(&[("A", "1"), ("B", "2")]));
}

#[tokio::test(start_paused = true)]
async fn fault_30_a_table_that_is_not_reachable_is_transient_and_says_so() {
    let (cloud, store) = store().await;
    cloud.script("dynamodb:GetItem", TRIES, &Scripted::Unreachable);
    cloud.take_counts();
    let error = store.read_config(&app(), &release("v1")).await.expect_err("unreachable");
    assert!(error.is_transient(), "{error}");
    assert!(error.to_string().starts_with("E151 cannot read web"), "{error}");
    assert_eq!(cloud.take_counts()["dynamodb:GetItem"], TRIES);
    assert!(store.read_config(&app(), &release("v1")).await.is_ok(), "the next read succeeds");
}

#[tokio::test(start_paused = true)]
async fn fault_31_a_denied_read_names_the_table_and_is_not_repeated() {
    let (cloud, store) = store().await;
    let denied = Scripted::error("AccessDeniedException", "no");
    cloud.script("dynamodb:Query", 2, &denied);
    cloud.take_counts();
    let error = store.read_config(&app(), &release("v1")).await.expect_err("denied");
    assert!(!error.is_transient(), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("E152 cannot read web") && text.contains("in table adf-config: access denied"));
    assert!(cloud.take_counts()["dynamodb:Query"] <= 2, "at most once a layer");
}

#[tokio::test(start_paused = true)]
async fn fault_31_an_instance_of_an_app_that_nobody_knows_is_refused() {
    let (_cloud, store) = store().await;
    let error = store.boot_config(&app(), &release("v1"), None).await.expect_err("nothing is known of it");
    assert_eq!(
        error.to_string(),
        "E152 no config for app web, release v1, in table adf-config, and no record of that release; \
         check APP and RELEASE in the user data, or was it cleaned up?"
    );
    store.put_release(&crate::release_record("v1", 1)).await.expect("recorded");
    let config =
        store.boot_config(&app(), &release("v1"), None).await.expect("an app without config is an app");
    assert!(config.is_empty());
}

#[tokio::test(start_paused = true)]
async fn fault_31_an_instance_of_a_release_whose_overlay_was_cleaned_up_is_refused() {
    let (_cloud, store) = store().await;
    let (web, v1) = (app(), release("v1"));
    store.set_config(&web, None, &values(&[("FOO", "World")])).await.expect("set");
    store.set_config(&web, Some(&v1), &values(&[("ONLY_V1", "x")])).await.expect("set");
    clean_up(&store, &v1).await;
    let error = store.boot_config(&web, &v1, None).await.expect_err("only Base is left").to_string();
    assert!(error.starts_with("E152 the config of release v1 of web was cleaned up at "), "{error}");
    assert!(error.ends_with("deploying the release brings it back: adf-ctl deploy v1"), "{error}");
    store.restore_overlay(&web, &v1).await.expect("restored");
    assert_eq!(store.boot_config(&web, &v1, None).await.expect("whole again").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn fault_36_a_clock_that_is_off_is_corrected_by_the_sdk() {
    let (cloud, store) = store().await;
    let date = at(14);
    let skewed = Scripted::error("InvalidSignatureException", "Signature expired").dated(&date);
    cloud.script("dynamodb:GetItem", 1, &skewed);
    cloud.take_counts();
    assert!(store.read_config(&app(), &release("v1")).await.is_ok(), "signed again, with AWS's time");
    assert_eq!(cloud.take_counts()["dynamodb:GetItem"], 3);
}

/// AWS's time, so many minutes ahead of ours, as in its answers. Half a minute more, so that the seconds a
/// test takes do not change the minutes.
fn at(ahead: i64) -> String {
    let theirs = Timestamp::now() + SignedDuration::from_secs(60 * ahead + 30 * ahead.signum());
    theirs.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[tokio::test(start_paused = true)]
async fn fault_36_a_clock_that_stays_off_is_named_with_minutes_and_direction() {
    for (code, ahead, text) in [
        ("InvalidSignatureException", 14, "14 min behind AWS"),
        ("RequestTimeTooSkewed", 61, "61 min behind AWS"),
        ("RequestExpired", -30, "30 min ahead of AWS"),
    ] {
        let (cloud, store) = store().await;
        let skewed = Scripted::error(code, "Signature expired").dated(&at(ahead));
        cloud.script("dynamodb:GetItem", TRIES, &skewed);
        let error = store.read_config(&app(), &release("v1")).await.expect_err("skewed");
        assert!(matches!(error, StoreError::ClockSkew { .. }), "{code}: {error}");
        assert!(error.to_string().starts_with("E160 cannot read web"), "{error}");
        assert!(error.to_string().ends_with(&format!("the host clock is {text}")), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn fault_36_a_signature_that_is_refused_at_the_right_time_is_a_matter_of_access() {
    let (cloud, store) = store().await;
    let refused = Scripted::error("InvalidSignatureException", "does not match").dated(&at(0));
    cloud.script("dynamodb:GetItem", 1, &refused);
    let error = store.read_config(&app(), &release("v1")).await.expect_err("refused");
    assert!(matches!(error, StoreError::AccessDenied { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_instance_boots_from_a_table_with_the_keys_of_the_first_documentation() {
    let (cloud, store) = store().await;
    store.put_release(&crate::release_record("v1", 1)).await.expect("recorded");
    store.set_config(&app(), None, &values(&[("FOO", "World")])).await.expect("set");
    let keys = Scripted::error("ValidationException", "The provided key element does not match the schema");
    cloud.script("dynamodb:TransactGetItems", 1, &keys);
    let (record, version) =
        store.release_and_version(&app(), &release("v1")).await.expect("the state table is ours");
    assert_eq!(record.expect("recorded").release, release("v1"));
    // Nothing in such a table is counted.
    cloud.script("dynamodb:GetItem", 1, &keys);
    let config = store.boot_config(&app(), &release("v1"), Some(version)).await.expect("readable");
    assert_eq!(config.get(&name("FOO")), Some("World"));
}
