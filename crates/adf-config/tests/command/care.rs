//! What is not done, because somebody would regret it: changes that a release could not live with, that write over what
//! was not seen, or that are larger than one change.

use adf_store::{CurrentRelease, Store};
use adf_types::{AppName, ConfigRules, ReleaseName, ReleaseRecord};
use jiff::Timestamp;

use super::Account;

fn web() -> AppName {
    "web".parse().expect("a name")
}

fn v1() -> ReleaseName {
    "v1".parse().expect("a name")
}

/// A release v1 with these rules, which is what the app runs.
async fn running(account: &Account, rules: &str) -> Store {
    let store = adf_config::connect::store(&account.sdk());
    let record = ReleaseRecord {
        app: web(),
        release: v1(),
        url: "s3://releases/web/v1.tar.gz".parse().expect("a URL"),
        digest: None,
        tree: None,
        commit: None,
        config: serde_json::from_str::<ConfigRules>(rules).expect("rules"),
        created_at: Timestamp::UNIX_EPOCH,
        created_by: "ann".to_owned(),
    };
    store.put_release(&record).await.expect("new");
    let lock = store.take_lock(&web(), "ann", None).await.expect("free");
    store.set_current(&lock, &CurrentRelease { current: v1(), previous: None }).await.expect("ours");
    store.free_lock(lock).await.expect("ours");
    store
}

const RULES: &str = r#"{
    "required": ["FOO"],
    "values": { "PORT": { "pattern": "[0-9]+" }, "LEVEL": { "one_of": ["debug", "info"] } }
}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_a_running_release_requires_is_not_removed() {
    let account = Account::open().await;
    running(&account, RULES).await;
    account.says(&["set", "FOO=1", "BAR=1"], "");
    for line in [&["unset", "FOO", "BAR"][..], &["set", "OTHER=1", "--unset", "FOO"], &["-d", "FOO"]] {
        let error = account.fails(line, 5);
        assert!(
            error.contains("nothing was written: v1 requires FOO") && error.contains("--force"),
            "{error}"
        );
    }
    let before_anything = "2020-01-01T00:00:00Z";
    assert!(account.fails(&["restore", "--at", before_anything], 5).contains("v1 requires FOO"));
    assert_eq!(account.says(&["list"], ""), "BAR=1\nFOO=1\n");

    // The release's own Overlay says what Base says no more.
    account.says(&["set", "FOO=2", "--release", "v1"], "");
    account.says(&["unset", "FOO"], "");
    assert!(account.fails(&["unset", "FOO", "--release", "v1"], 5).contains("v1 requires FOO"));
    account.says(&["unset", "FOO", "--release", "v1", "--force", "-m", "it is over"], "");
    let history = account.says(&["history", "-n", "1"], "");
    assert!(history.contains("unset v1 (forced)") && history.contains("\"it is over\""), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_breaks_a_rule_of_a_running_release_is_not_set_nor_repeated() {
    let account = Account::open().await;
    running(&account, RULES).await;
    let error = account.fails(&["set", "PORT=hunter2", "LEVEL=hunter2", "FOO=1"], 5);
    assert!(error.contains("PORT does not match the pattern [0-9]+, says v1"), "{error}");
    assert!(
        error.contains("LEVEL is none of \"debug\", \"info\", says v1") && !error.contains("hunter2"),
        "{error}"
    );
    let key = account.kms_key().await;
    let error = account.fails(&["set", "--secret", "--kms-key", &key, "PORT"], 5);
    assert!(error.contains("PORT does not match") && !error.contains("hunter2"), "{error}");
    assert!(account.fails(&["set", "PORT=x", "--release", "v1"], 5).contains("says v1"));
    account.says(&["set", "PORT=80", "LEVEL=info"], "");
    // A release that nobody knows has no rules yet.
    account.says(&["set", "PORT=x", "--release", "v2"], "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_takes_containers_over_is_set_only_where_it_is_allowed() {
    let account = Account::open().await;
    let error = account.fails(&["set", "LD_PRELOAD=/evil.so"], 5);
    assert!(error.contains("LD_PRELOAD changes which code") && !error.contains("evil"), "{error}");
    running(&account, r#"{ "allow_names": ["PATH"] }"#).await;
    account.says(&["set", "PATH=/opt/bin"], "");
    assert!(account.fails(&["set", "LD_PRELOAD=/evil.so"], 5).contains("v1 does not allow it"));
    for reserved in ["APP=x", "ADF_ANYTHING=x"] {
        assert!(account.fails(&["set", reserved, "--force"], 2).contains("set by the agent itself"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_renamed_in_one_change() {
    let account = Account::open().await;
    account.says(&["set", "OLD=1"], "");
    account.says(&["set", "NEW=1", "--unset", "OLD"], "");
    assert_eq!(account.says(&["list"], ""), "NEW=1\n");
    let history = account.says(&["history", "-n", "1"], "");
    assert!(history.ends_with("    NEW was not there\n    OLD was 1\n"), "{history}");
    assert!(account.fails(&["set", "A=1", "--unset", "A"], 2).contains("A is given twice"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_after_the_version_that_was_seen_is_not_written_over() {
    let account = Account::open().await;
    account.says(&["set", "FOO=1", "BAR=1"], "");
    let listed: serde_json::Value =
        serde_json::from_str(&account.says(&["list", "--json"], "")).expect("JSON");
    let version = listed["version"].to_string();
    account.says(&["set", "FOO=2"], "");
    let error = account.fails(&["set", "FOO=3", "BAR=3", "--based-on", &version], 5);
    assert!(
        error.contains("config web/FOO") && error.contains("meanwhile it was written by arn:"),
        "{error}"
    );
    assert!(account.fails(&["unset", "FOO", "--based-on", &version], 5).contains("config web/FOO"));
    account.says(&["set", "BAR=3", "--based-on", &version], "");
    assert_eq!(account.says(&["list"], ""), "BAR=3\nFOO=2\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_names_than_one_change_takes_are_set_in_parts_when_that_is_said() {
    let account = Account::open().await;
    let lines: Vec<_> = (0..300).map(|n| format!("N{n:03}={n}\n")).collect();
    let file = lines.concat();
    let error = account.run(&["import", "-"], &file);
    let told = String::from_utf8_lossy(&error.stderr).into_owned();
    assert_eq!(error.status.code(), Some(2));
    assert!(
        told.contains("300 config names in one change; at most 97") && told.contains("--in-parts"),
        "{told}"
    );
    assert!(account.fails(&["list"], 3).contains("unknown app"), "nothing was written");
    let output = account.run(&["import", "-", "--in-parts"], &file);
    if Account::MOST_NAMES < 90 {
        assert!(!output.status.success(), "a part is larger than what this AWS takes");
        return;
    }
    assert_eq!(account.says(&["list"], ""), file);
    let parts: serde_json::Value =
        serde_json::from_str(&account.says(&["history", "--json"], "")).expect("JSON");
    let sizes = parts["changes"].as_array().expect("a list").iter();
    let sizes: Vec<_> = sizes.map(|change| change["before"].as_object().expect("names").len()).collect();
    assert_eq!(sizes, [30, 90, 90, 90], "newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_explained_which_layer_a_name_comes_from() {
    let account = Account::open().await;
    account.says(&["set", "FOO=base", "SAME=1", "OLD=1"], "");
    account.says(&["set", "FOO=over", "NEW=1", "--unset", "OLD", "--release", "v2"], "");
    assert_eq!(
        account.says(&["show", "--release", "v2", "--explain"], ""),
        "FOO=over  # Overlay of v2; Base has FOO=base\n\
         NEW=1  # Overlay of v2\n\
         OLD (hidden)  # Overlay of v2; Base has OLD=1\n\
         SAME=1  # Base\n"
    );
    assert_eq!(
        account.says(&["show", "--release", "v2"], ""),
        account.says(&["list", "--release", "v2"], "")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_encrypted_anew_with_another_key() {
    let account = Account::open().await;
    let (old, new) = (account.kms_key().await, account.kms_key().await);
    account.says(&["set", "--secret", "--kms-key", &old, "TOKEN"], "hunter2");
    account.says(&["set", "--secret", "--kms-key", &old, "TOKEN", "--release", "v2"], "hunter3");
    let told = account.run(&["rekey", "--kms-key", &new, "-m", "ann left"], "");
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(
        told.contains("in Base config of web: TOKEN") && told.contains("Overlay config of web v2: TOKEN"),
        "{told}"
    );
    let kms = aws_sdk_kms::Client::new(&account.sdk());
    // moto takes the key's id only where AWS takes its ARN, too.
    let (_, id) = old.rsplit_once('/').expect("an ARN ends in the id");
    kms.schedule_key_deletion().key_id(id).pending_window_in_days(7).send().await.expect("deleted");
    assert_eq!(account.says(&["get", "TOKEN", "--reveal"], ""), "hunter2\n");
    assert_eq!(account.says(&["get", "TOKEN", "--release", "v2", "--reveal"], ""), "hunter3\n");
    let history = account.says(&["history", "-n", "5"], "");
    assert_eq!(history.matches("  rekey ").count(), 2, "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_stored_is_found_before_a_part_is_written_and_names_are_unset_in_parts() {
    let account = Account::open().await;
    let lines: Vec<_> = (0..120).map(|n| format!("N{n:03}={n}\n")).collect();
    let large = format!("{}Z={}\n", lines.concat(), "x".repeat(400_000));
    let output = account.run(&["import", "-", "--in-parts"], &large);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && told.contains("config web/Z is 400006 bytes long"), "{told}");
    assert!(account.fails(&["list"], 3).contains("unknown app"), "nothing was written");

    let few: Vec<_> = (0..12).map(|n| format!("N{n:03}")).collect();
    account.says(&["import", "-"], &lines[..20].concat());
    let names: Vec<_> = ["unset", "--in-parts"].into_iter().chain(few.iter().map(String::as_str)).collect();
    account.says(&names, "");
    assert_eq!(account.says(&["list"], ""), lines[12..20].concat());
    assert!(account.fails(&["import", "/dev/null"], 2).contains("/dev/null has no names"));
    let long = "x".repeat(1_001);
    assert!(account.fails(&["set", "A=1", "-m", &long], 2).contains("the message has 1001 bytes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_stays_one_unless_it_is_said_otherwise() {
    let account = Account::open().await;
    let key = account.kms_key().await;
    account.says(&["set", "--secret", "--kms-key", &key, "TOKEN"], "hunter2");
    for line in [&["set", "TOKEN=hunter3"][..], &["-s", "TOKEN=hunter3"]] {
        let error = account.fails(line, 5);
        assert!(error.contains("config web/TOKEN is a secret") && !error.contains("hunter3"), "{error}");
    }
    assert_eq!(account.says(&["list"], ""), "TOKEN (secret)\n");
    account.says(&["set", "TOKEN=no secret", "--force"], "");
    assert_eq!(account.says(&["list"], ""), "TOKEN=no secret\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_misspelt_release_is_not_shown_what_base_says() {
    let account = Account::open().await;
    account.says(&["set", "FOO=1"], "");
    for line in [&["get", "FOO"][..], &["list"], &["show", "--explain"], &["export"], &["exec", "--", "true"]]
    {
        let line = [&["--release", "typo"], line].concat();
        assert!(account.fails(&line, 3).contains("unknown release typo of app web"), "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_overlay_hides_is_looked_at_when_it_is_uncovered() {
    let account = Account::open().await;
    running(&account, RULES).await;
    account.says(&["set", "LEVEL=debug", "--release", "v1"], "");
    // The release does not see it, so it has nothing against it.
    account.says(&["set", "LEVEL=loud"], "");
    assert!(
        account.fails(&["restore", "--at", "2020-01-01T00:00:00Z", "--release", "v1"], 5).contains("LEVEL")
    );
    assert_eq!(account.says(&["get", "LEVEL", "--release", "v1"], ""), "debug\n");
}
