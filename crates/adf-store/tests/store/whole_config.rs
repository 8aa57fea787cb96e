//! A config is read whole, at one moment, whatever its size and whoever changes it meanwhile.

use adf_local::cloud::Cloud;
use adf_store::{Store, StoreError};
use adf_types::{ConfigName, ConfigValue};
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::future::BoxFuture;
use proptest::prelude::*;

use crate::meddler::meddled;
use crate::{app, name, release, store, values};

/// An item as a client of 2013 writes it: no version is counted.
pub(crate) async fn put(cloud: &Cloud, app: &str, name: &str, attribute: &str, value: AttributeValue) {
    let text = |s: &str| AttributeValue::S(s.to_owned());
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config());
    let put = client.put_item().table_name("adf-config").item("App", text(app)).item("Name", text(name));
    put.item(attribute, value).send().await.expect("written");
}

async fn refusal(name: &str, attribute: &str, value: AttributeValue) -> String {
    let (cloud, store) = store().await;
    put(&cloud, "web", name, attribute, value).await;
    store.read_config(&app(), &release("v1")).await.expect_err("not config").to_string()
}

#[tokio::test(start_paused = true)]
async fn fault_32_what_is_no_config_is_refused_by_name_and_never_by_value() {
    let text = |s: &str| AttributeValue::S(s.to_owned());
    for (name, attribute, value, problem) in [
        ("DB PASS", "Value", text("hunter2"), "is not a valid environment variable name"),
        ("A=B", "Value", text("hunter2"), "is not a valid environment variable name"),
        ("A\nB", "Value", text("hunter2"), "\"A\\nB\" is not a valid environment variable name"),
        ("APP", "Value", text("hunter2"), "is set by the agent itself"),
        ("ADF_OTHER", "Value", text("hunter2"), "is set by the agent itself"),
        ("A", "Value", text("hunter2\0"), "holds a NUL byte"),
        ("A", "Value", AttributeValue::Ss(vec!["hunter2".into()]), "neither a string nor a number"),
        ("A", "Secret", text("hunter2"), "the attribute Secret is not binary"),
        ("A", "Wert", text("hunter2"), "has no attribute Value"),
    ] {
        let error = refusal(name, attribute, value).await;
        assert!(error.starts_with("E153 config web/") && error.contains(problem), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        assert_eq!(error.matches("E153").count(), 1, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn fault_32_a_value_that_no_environment_holds_is_refused_before_it_is_written() {
    let (_cloud, store) = store().await;
    let error = store.set_config(&app(), None, &values(&[("A", "hunter2\0")])).await.expect_err("NUL");
    assert_eq!(
        error.to_string(),
        "E153 config web/A: the value holds a NUL byte, which no environment variable can"
    );
    store
        .set_config(&app(), None, &values(&[("A", "two\nlines")]))
        .await
        .expect("a new line is a value's own");
    assert_eq!(crate::seen(&store, "v1").await, crate::pairs(&[("A", "two\nlines")]));
}

proptest! {
    // Each case fills a table.
    #![proptest_config(ProptestConfig::with_cases(6))]
    #[test]
    fn fault_33_every_name_of_a_config_of_any_size_is_read(count in 0_usize..=5_000, length in 1_usize..1_200) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let (cloud, store) = store().await;
            let value = "x".repeat(length);
            let wanted: Vec<_> = (0..count).map(|n| (name(&format!("N{n}")), value.clone())).collect();
            for chunk in wanted.chunks(97) {
                store.set_config(&app(), None, chunk).await.expect("set");
            }
            cloud.take_counts();
            let config = store.read_config(&app(), &release("v1")).await.expect("readable");
            prop_assert_eq!(config.len(), count);
            let pages = cloud.take_counts()["dynamodb:Query"] - 1;
            prop_assert!(pages >= count * length / (1 << 20), "{} pages", pages);
            Ok(())
        })?;
    }
}

/// One change of two names that do not fit into one page.
async fn generation(store: &Store, number: usize) {
    let value = format!("{number}{}", "x".repeat(700_000 / 2));
    let both: Vec<(ConfigName, String)> =
        ["A", "B", "C", "D"].iter().map(|n| (name(n), value.clone())).collect();
    store.set_config(&app(), None, &both).await.expect("set");
}

async fn read_meddled(before: fn(usize) -> bool) -> Result<Vec<String>, StoreError> {
    let change =
        |behind, number| Box::pin(async move { generation(&behind, number).await }) as BoxFuture<'_, _>;
    let (store, behind) = meddled(before, change).await;
    generation(&behind, 0).await;
    let config = store.read_config(&app(), &release("v1")).await?;
    Ok(config.iter().map(|(_, value)| value.to_owned()).collect())
}

#[tokio::test(start_paused = true)]
async fn fault_34_a_change_in_the_middle_of_a_read_is_seen_whole_or_not_at_all() {
    let moments: [fn(usize) -> bool; 7] =
        [|n| n == 1, |n| n == 2, |n| n == 3, |n| n == 4, |n| n == 5, |n| n == 6, |n| n % 7 == 3];
    for before in moments {
        let values = read_meddled(before).await.expect("consistent");
        assert_eq!(values.len(), 4);
        assert!(values.iter().all(|value| *value == values[0]), "half of a change was seen");
    }
}

#[tokio::test(start_paused = true)]
async fn fault_34_a_config_that_never_stands_still_is_given_up_after_five_reads() {
    let error = read_meddled(|n| n > 1).await.expect_err("it changes all the time");
    assert_eq!(
        error.to_string(),
        "E154 the config of web changed during each of 5 reads; try again when nobody edits it"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn every_value_survives_plain_and_secret(text in "[^\0]{0,60}", repeated in prop_oneof![Just(1_usize), 1_usize..50]) {
        let mut value = text.repeat(repeated);
        // Now and then as large as a value may be: 350 KB.
        if repeated > 45 && !text.is_empty() {
            value = text.repeat(350_000 / text.len());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let (cloud, store) = store().await;
            let kms = aws_sdk_kms::Client::new(&cloud.sdk_config());
            let key = kms.create_key().send().await.expect("made").key_metadata.expect("told").key_id;
            store.set_config(&app(), None, &[(name("PLAIN"), value.clone())]).await.expect("set");
            let secret = (name("SECRET"), ConfigValue::secret(value.clone()));
            store.set_secrets(&app(), None, &key, &[secret]).await.expect("sealed");
            let config = store.read_config(&app(), &release("v1")).await.expect("readable");
            for of in ["PLAIN", "SECRET"] {
                assert_eq!(config.get(&name(of)), Some(value.as_str()), "{of}");
            }
        });
    }
}
