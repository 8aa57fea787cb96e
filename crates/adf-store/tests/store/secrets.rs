//! Secrets against the KMS that adf-local plays.

use std::collections::BTreeMap;

use adf_local::cloud::{Cloud, Scripted};
use adf_store::{Entry, Store, StoreError, Tables};
use adf_types::{ConfigName, ConfigValue};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_kms::primitives::Blob;

use crate::{app, name, release, store};

async fn key(cloud: &Cloud) -> (aws_sdk_kms::Client, String) {
    let kms = aws_sdk_kms::Client::new(&cloud.sdk_config());
    let made = kms.create_key().send().await.expect("made").key_metadata.expect("told");
    (kms, made.arn.expect("an ARN"))
}

fn secrets(pairs: &[(&str, &str)]) -> Vec<(ConfigName, ConfigValue)> {
    pairs.iter().map(|(n, v)| (name(n), ConfigValue::secret(*v))).collect()
}

async fn value(store: &Store, of: &str, by: &str) -> Option<String> {
    let config = store.read_config(&app(), &release(by)).await.expect("readable");
    config.get(&name(of)).map(str::to_owned)
}

async fn reason(store: &Store) -> (String, bool) {
    let error = store.read_config(&app(), &release("v1")).await.expect_err("KMS says no");
    (error.to_string(), error.is_transient())
}

#[tokio::test(start_paused = true)]
async fn a_secret_is_stored_sealed_and_read_back_as_a_secret() {
    let (cloud, store) = store().await;
    let (_, key) = key(&cloud).await;
    store.set_config(&app(), None, &crate::values(&[("FOO", "plain")])).await.expect("set");
    store.set_secrets(&app(), None, &key, &secrets(&[("STRIPE", "hunter2")])).await.expect("set");
    store
        .set_secrets(&app(), Some(&release("v2")), &key, &secrets(&[("STRIPE", "hunter3")]))
        .await
        .expect("set");

    let config = store.read_config(&app(), &release("v1")).await.expect("readable");
    assert_eq!(config.secrets().collect::<Vec<_>>(), [(&name("STRIPE"), "hunter2")]);
    assert_eq!(config.get(&name("FOO")), Some("plain"));
    assert_eq!(value(&store, "STRIPE", "v2").await.as_deref(), Some("hunter3"));

    let layer = store.read_layer(&app(), None).await.expect("readable");
    let Some((_, Entry::Secret(sealed))) = layer.iter().find(|(n, _)| n.as_str() == "STRIPE") else {
        panic!("{layer:?}")
    };
    let stored = sealed.as_bytes().to_vec();
    assert!(!stored.windows(7).any(|w| w == b"hunter2"), "the table holds the value in clear");
    assert!(!format!("{layer:?}").contains("hunter2"));
}

#[tokio::test(start_paused = true)]
async fn a_boot_reads_two_hundred_names_with_fifty_secrets_in_four_calls() {
    let (cloud, store) = store().await;
    let (_, key) = key(&cloud).await;
    let plain: Vec<_> = (0..150).map(|n| (name(&format!("P{n}")), n.to_string())).collect();
    for chunk in plain.chunks(97) {
        store.set_config(&app(), None, chunk).await.expect("set");
    }
    let hidden: Vec<_> =
        (0..50).map(|n| (name(&format!("S{n}")), ConfigValue::secret(format!("secret {n}")))).collect();
    cloud.take_counts();
    store.set_secrets(&app(), None, &key, &hidden).await.expect("set");
    let written =
        [("dynamodb:TransactGetItems", 1), ("dynamodb:TransactWriteItems", 1), ("kms:GenerateDataKey", 1)];
    assert_eq!(cloud.take_counts(), written.map(|(call, n)| (call.to_owned(), n)).into());

    // The release's record is read anyway, to learn its digest; the version comes with it.
    let (_, version) = store.release_and_version(&app(), &release("v1")).await.expect("readable");
    assert_eq!(cloud.take_counts(), [("dynamodb:TransactGetItems".to_owned(), 1)].into());
    let config = store.boot_config(&app(), &release("v1"), Some(version)).await.expect("readable");
    assert_eq!((config.len(), config.secrets().count()), (200, 50));
    assert_eq!(config.get(&name("S49")), Some("secret 49"));
    let read = [("dynamodb:GetItem", 1), ("dynamodb:Query", 2), ("kms:Decrypt", 1)];
    let read: BTreeMap<String, usize> = read.map(|(call, n)| (call.to_owned(), n)).into();
    assert_eq!(cloud.take_counts(), read);
}

#[tokio::test(start_paused = true)]
async fn what_a_shell_script_encrypted_with_the_aws_command_is_read() {
    let (cloud, store) = store().await;
    let (kms, key) = key(&cloud).await;
    let sealed = kms.encrypt().key_id(key).plaintext(Blob::new("hunter2"));
    let sealed = sealed.encryption_context("App", "web").encryption_context("Name", "STRIPE");
    let sealed = sealed.send().await.expect("encrypted").ciphertext_blob.expect("told");
    put(&cloud, "STRIPE", sealed.as_ref()).await;
    assert_eq!(value(&store, "STRIPE", "v1").await.as_deref(), Some("hunter2"));
    put(&cloud, "OTHER", sealed.as_ref()).await;
    let (error, _) = reason(&store).await;
    assert!(error.starts_with("E155 KMS refused to decrypt config web/OTHER (InvalidCiphertextException)"));
}

async fn put(cloud: &Cloud, name: &str, secret: &[u8]) {
    let text = |s: &str| AttributeValue::S(s.to_owned());
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config());
    let put = client.put_item().table_name("adf-config").item("App", text("web")).item("Name", text(name));
    put.item("Secret", AttributeValue::B(Blob::new(secret))).send().await.expect("written");
}

async fn with_a_secret() -> (Cloud, Store, String) {
    let (cloud, store) = store().await;
    let (_, key) = key(&cloud).await;
    store.set_secrets(&app(), None, &key, &secrets(&[("STRIPE", "hunter2")])).await.expect("set");
    (cloud, store, key)
}

#[tokio::test(start_paused = true)]
async fn fault_35_a_refusal_is_permanent_and_names_secret_key_role_and_right() {
    let (cloud, store, key) = with_a_secret().await;
    let denied =
        "User: arn:aws:sts::1:assumed-role/web-role/i-0abc is not authorized to perform: kms:Decrypt";
    for (code, cure) in [
        ("AccessDeniedException", format!("the role web-role needs kms:Decrypt on the KMS key {key}")),
        ("DisabledException", format!("enable the KMS key {key}, or cancel its deletion")),
        ("KMSInvalidStateException", format!("enable the KMS key {key}, or cancel its deletion")),
        ("NotFoundException", format!("there is no key like that here; looked for the KMS key {key}")),
        ("InvalidCiphertextException", "it was encrypted for another name, app or key; set STRIPE again, with the encryption context App=web, Name=STRIPE".to_owned()),
    ] {
        cloud.script("kms:Decrypt", 1, &Scripted::error(code, denied));
        cloud.take_counts();
        let (error, transient) = reason(&store).await;
        assert_eq!(error, format!("E155 KMS refused to decrypt config web/STRIPE ({code}): {cure}"));
        assert!(!transient && !error.contains("hunter2"));
        assert_eq!(cloud.take_counts()["kms:Decrypt"], 1, "{code} was tried again");
    }
}

#[tokio::test(start_paused = true)]
async fn fault_35_a_disabled_key_is_named() {
    let (cloud, store, key) = with_a_secret().await;
    let (kms, _) = self::key(&cloud).await;
    kms.disable_key().key_id(&key).send().await.expect("disabled");
    let (error, transient) = reason(&store).await;
    assert!(error.contains("(DisabledException)") && error.contains(&key), "{error}");
    assert!(!transient);
}

#[tokio::test(start_paused = true)]
async fn fault_35_a_throttled_kms_is_asked_again_ten_times() {
    let (cloud, store, _) = with_a_secret().await;
    cloud.script("kms:Decrypt", 9, &Scripted::error("ThrottlingException", "slow down"));
    assert_eq!(value(&store, "STRIPE", "v1").await.as_deref(), Some("hunter2"));
    cloud.script("kms:Decrypt", 10, &Scripted::error("ThrottlingException", "slow down"));
    cloud.take_counts();
    let (error, transient) = reason(&store).await;
    assert_eq!(error, "E155 cannot decrypt config web/STRIPE: KMS throttled every attempt");
    assert!(transient);
    assert_eq!(cloud.take_counts()["kms:Decrypt"], 10);
}

#[tokio::test(start_paused = true)]
async fn fault_35_a_kms_that_is_not_reachable_is_transient() {
    let (cloud, store, _) = with_a_secret().await;
    cloud.script("kms:Decrypt", 10, &Scripted::Unreachable);
    let (error, transient) = reason(&store).await;
    assert_eq!(error, "E155 cannot decrypt config web/STRIPE: KMS is not reachable");
    assert!(transient);
}

#[tokio::test(start_paused = true)]
async fn fault_35_a_secret_that_was_changed_or_moved_does_not_open() {
    let (cloud, store, _) = with_a_secret().await;
    let layer = store.read_layer(&app(), None).await.expect("readable");
    let Some((_, Entry::Secret(sealed))) = layer.into_iter().next() else { panic!("a secret") };
    let mut bytes = sealed.as_bytes().to_vec();
    put(&cloud, "OTHER", &bytes).await;
    let (moved, _) = reason(&store).await;
    assert_eq!(moved, "E155 the secret web/OTHER was changed, or belongs to another name; set it again");
    *bytes.last_mut().expect("bytes") ^= 1;
    put(&cloud, "OTHER", &bytes).await;
    assert_eq!(reason(&store).await.0, moved);
    put(&cloud, "OTHER", &bytes[..20]).await;
    assert_eq!(reason(&store).await.0, "E155 the secret web/OTHER is cut off");
}

#[tokio::test(start_paused = true)]
async fn setting_a_secret_with_a_key_that_is_not_there_writes_nothing() {
    let (_cloud, store) = store().await;
    let error = store.set_secrets(&app(), None, "alias/none", &secrets(&[("A", "x")])).await;
    let error = error.expect_err("no such key");
    assert!(matches!(error, StoreError::KmsRefused { .. }), "{error}");
    assert!(error.to_string().contains("looked for the KMS key alias/none"), "{error}");
    assert_eq!(store.read_layer(&app(), None).await.expect("readable"), vec![]);
    assert_eq!(*store.tables(), Tables::default());
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_out_of_date_costs_another_read_and_no_change_is_missed() {
    let (cloud, store) = store().await;
    let (_, version) = store.release_and_version(&app(), &release("v1")).await.expect("readable");
    store.set_config(&app(), None, &crate::values(&[("FOO", "1")])).await.expect("set");
    cloud.take_counts();
    let config = store.boot_config(&app(), &release("v1"), Some(version)).await.expect("readable");
    assert_eq!(config.get(&name("FOO")), Some("1"));
    assert_eq!(
        cloud.take_counts(),
        [("dynamodb:GetItem".to_owned(), 2), ("dynamodb:Query".to_owned(), 4)].into()
    );
}

#[tokio::test(start_paused = true)]
async fn rekey_encrypts_everything_with_one_key_and_changes_no_value() {
    let (cloud, store) = store().await;
    let (kms, old) = key(&cloud).await;
    let (_, new) = key(&cloud).await;
    store.set_config(&app(), None, &crate::values(&[("PLAIN", "1")])).await.expect("set");
    for (of, value) in [("A", "hunter1"), ("B", "hunter2"), ("ADF_GITHUB_TOKEN", "hunter3")] {
        store.set_secrets(&app(), None, &old, &secrets(&[(of, value)])).await.expect("set");
    }
    let before = store.read_config(&app(), &release("v1")).await.expect("readable");

    let rekeyed = store.rekey(&app(), None, &new).await.expect("rekeyed");
    assert_eq!(rekeyed, ["A", "ADF_GITHUB_TOKEN", "B"].map(name));
    let gone = kms.schedule_key_deletion().key_id(&old).pending_window_in_days(7).send().await;
    gone.expect("nothing needs the old key");
    cloud.take_counts();
    assert_eq!(store.read_config(&app(), &release("v1")).await.expect("readable"), before);
    assert_eq!(cloud.take_counts().get("kms:Decrypt"), Some(&1));
    assert_eq!(store.history(&app(), 1).await.expect("readable")[0].action, adf_store::Action::Rekey);
    assert_eq!(store.rekey(&app(), Some(&release("v1")), &new).await.expect("no secrets"), []);
}

#[tokio::test(start_paused = true)]
async fn rekey_reaches_what_clean_up_took_and_what_can_be_restored() {
    let (cloud, store) = store().await;
    let (kms, old) = key(&cloud).await;
    let (_, new) = key(&cloud).await;
    let v1 = release("v1");
    store.set_secrets(&app(), Some(&v1), &old, &secrets(&[("A", "hunter1")])).await.expect("set");
    crate::clean_up(&store, &v1).await;
    assert_eq!(store.rekey(&app(), Some(&v1), &new).await.expect("rekeyed"), [name("A")]);
    assert_eq!(store.read_layer(&app(), Some(&v1)).await.expect("readable"), [], "it stays cleaned up");
    kms.schedule_key_deletion().key_id(&old).pending_window_in_days(7).send().await.expect("deleted");
    store.restore_overlay(&app(), &v1).await.expect("restored");
    assert_eq!(value(&store, "A", "v1").await.as_deref(), Some("hunter1"));
}
