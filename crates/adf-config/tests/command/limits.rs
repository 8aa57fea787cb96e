//! What DynamoDB and KMS limit and refuse, and what the commands make of it.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use super::Account;

fn file(account: &Account, name: &str, count: usize, value: &str) {
    let lines = (0..count).map(|n| format!("NAME_{n:02}={value}\n"));
    std::fs::write(account.folder.path().join(name), lines.collect::<String>()).expect("written");
}

/// An item as a client writes it that knows nothing of adf.
async fn put(account: &Account, name: &str, attribute: &str, value: AttributeValue) {
    let client = aws_sdk_dynamodb::Client::new(&account.sdk());
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = client.put_item().table_name("adf-config").item("App", text("web")).item("Name", text(name));
    put.item(attribute, value).send().await.expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn config_of_several_pages_is_listed_whole() {
    let account = Account::open().await;
    // 2 MB; DynamoDB ends a page at one.
    file(&account, "large.env", 20, &"x".repeat(100_000));
    account.says(&["import", "large.env"], "");
    let listed = account.says(&["list"], "");
    assert_eq!((listed.lines().count(), listed.len()), (20, 20 * ("NAME_00=\n".len() + 100_000)));
    account.says(&["set", "ONLY=2", "--release", "v2"], "");
    assert_eq!(account.says(&["export", "--release", "v2"], "").len(), listed.len() + "ONLY=2\n".len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_has_as_many_names_as_fit_into_one_transaction() {
    let account = Account::open().await;
    file(&account, "most.env", Account::MOST_NAMES, "1");
    account.says(&["import", "most.env"], "");
    assert_eq!(account.says(&["list"], "").lines().count(), Account::MOST_NAMES);
    let history = account.says(&["history", "--json"], "");
    assert_eq!(history.matches("NAME_").count(), Account::MOST_NAMES, "{history}");
    file(&account, "more.env", Account::MOST_NAMES + 1, "2");
    assert!(!account.run(&["import", "more.env"], "").status.success());
    file(&account, "too-many.env", 98, "2");
    let error = account.fails(&["import", "too-many.env"], 2);
    assert!(error.contains("98") && error.contains("97"), "{error}");
    assert_eq!(account.says(&["get", "NAME_00"], ""), "1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_value_that_is_too_large_leaves_the_others_unwritten() {
    let account = Account::open().await;
    account.says(&["set", "A=1"], "");
    let text = format!("A=2\nLARGE={}\n", "x".repeat(410_000));
    std::fs::write(account.folder.path().join("too-large.env"), text).expect("written");
    let error = account.fails(&["import", "too-large.env"], 2);
    assert!(error.contains("config web/LARGE is 410010 bytes long"), "{error}");
    assert_eq!(account.says(&["list"], ""), "A=1\n");
    assert_eq!(account.says(&["history"], "").matches("  set Base").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_operators_who_set_one_name_at_once_each_wins_or_is_told() {
    let account = Account::open().await;
    account.says(&["set", "FOO=0"], "");
    let ends: Vec<_> = std::thread::scope(|scope| {
        let account = &account;
        let run = |n| scope.spawn(move || account.run(&["set", &format!("FOO={n}")], ""));
        let running: Vec<_> = (1..=4).map(run).collect();
        running.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let codes: Vec<_> = ends.iter().filter_map(|end| end.status.code()).collect();
    assert!(codes.iter().all(|code| [0, 5].contains(code)), "{ends:?}");
    let won = codes.iter().filter(|code| **code == 0).count();
    let history = account.says(&["history", "FOO"], "");
    assert!(won > 0 && history.matches("  set Base").count() == won + 1, "{won} of 4 won:\n{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_of_2013_wrote_is_seen_recorded_and_restored() {
    let account = Account::open().await;
    put(&account, "FOO", "Value", AttributeValue::S("of 2013".to_owned())).await;
    account.says(&["set", "BAR=1"], "");
    let history: serde_json::Value =
        serde_json::from_str(&account.says(&["history", "--json"], "")).expect("one document");
    let first = history["changes"][0]["id"].as_str().expect("an id");
    account.says(&["set", "FOO=1"], "");
    account.says(&["unset", "FOO", "--release", "v2"], "");
    assert_eq!(account.says(&["list", "--release", "v2"], ""), "BAR=1\n");
    assert!(account.says(&["history", "FOO"], "").contains("    FOO was of 2013\n"));
    account.says(&["restore", "--at", first], "");
    assert_eq!(account.says(&["list"], ""), "BAR=1\nFOO=of 2013\n");
    account.says(&["restore", "--at", first, "--release", "v2"], "");
    // Nobody knows of v2 any more: it has no record, and its Overlay is empty again.
    assert!(account.fails(&["get", "FOO", "--release", "v2"], 3).contains("unknown release v2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_opens_under_its_own_name_only() {
    let account = Account::open().await;
    let (key, kms) = (account.kms_key().await, aws_sdk_kms::Client::new(&account.sdk()));
    let sealed = kms.encrypt().key_id(key).plaintext(Blob::new("hunter2"));
    let sealed = sealed.encryption_context("App", "web").encryption_context("Name", "TOKEN");
    let sealed = sealed.send().await.expect("encrypted").ciphertext_blob.expect("told");
    put(&account, "TOKEN", "Secret", AttributeValue::B(sealed.clone())).await;
    assert_eq!(account.says(&["get", "TOKEN", "--reveal"], ""), "hunter2\n");
    put(&account, "OTHER", "Secret", AttributeValue::B(sealed)).await;
    let error = account.fails(&["get", "OTHER", "--reveal"], 6);
    assert!(error.contains("E155") && error.contains("InvalidCiphertextException"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_whose_key_is_disabled_is_not_shown() {
    let account = Account::open().await;
    let (key, kms) = (account.kms_key().await, aws_sdk_kms::Client::new(&account.sdk()));
    account.says(&["set", "--secret", "--kms-key", &key, "TOKEN"], "hunter2\n");
    // moto takes the key's id only where AWS takes its ARN, too.
    let (_, id) = key.rsplit_once('/').expect("an ARN ends in the id");
    kms.disable_key().key_id(id).send().await.expect("disabled");
    if Account::DISABLES_KEYS {
        let error = account.fails(&["get", "TOKEN", "--reveal"], 6);
        assert!(error.contains("E155") && error.contains("enable the KMS key"), "{error}");
    } else {
        assert_eq!(account.says(&["get", "TOKEN", "--reveal"], ""), "hunter2\n");
    }
    let error = account.fails(&["set", "--secret", "--kms-key", "alias/none", "TOKEN"], 6);
    assert!(error.contains("looked for the KMS key alias/none"), "{error}");
}
