//! The `adf-ctl` binary, driven as a shell drives it, against an adf-local endpoint.

use std::path::Path;

use adf_local::cloud::Cloud;
use adf_local::front::Front;
use adf_types::{InstanceState, ProbeCounts, Receipt, Stage};
use assert_cmd::Command;
use jiff::Timestamp;
use serde_json::Value;

use crate::common::Repo;

/// The command in a folder, with nothing of this machine's AWS settings.
fn bare(folder: &Path, line: &[&str]) -> Command {
    let mut command = Command::cargo_bin("adf-ctl").expect("built for this test");
    let path = std::env::var_os("PATH").unwrap_or_default();
    command
        .env_clear()
        .env("PATH", path)
        .env("HOME", "/nonexistent")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command.current_dir(folder).args(line);
    command
}

fn ctl(folder: &Path, endpoint: &str, line: &[&str]) -> Command {
    let mut command = bare(folder, line);
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local");
    command
}

/// Stderr of a command that ends with `code` and prints no result.
fn refused(mut command: Command, code: i32) -> String {
    let output = command.assert().code(code).get_output().clone();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "results only go to stdout");
    String::from_utf8(output.stderr).expect("UTF-8")
}

fn json(mut command: Command) -> Value {
    let output = command.arg("--json").assert().success().get_output().clone();
    serde_json::from_slice(&output.stdout).expect("one JSON document")
}

fn stdout(mut command: Command) -> String {
    String::from_utf8(command.assert().success().get_output().stdout.clone()).expect("UTF-8")
}

async fn endpoint() -> (Cloud, Front) {
    let cloud = Cloud::new("us-east-1", Timestamp::now());
    let front = Front::open(cloud.clone(), 0).await.expect("a free port");
    (cloud, front)
}

const INIT: [&str; 11] = [
    "init",
    "--capacity",
    "2",
    "--image-id",
    "ami-0adf0000000000001",
    "--subnet",
    "subnet-0adf0000000000001",
    "--subnet",
    "subnet-0adf0000000000002",
    "--port",
    "8080",
];

fn hows(made: &Value) -> Vec<&str> {
    made["things"].as_array().expect("a list").iter().map(|t| t["how"].as_str().expect("a word")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_is_set_up_from_nothing_and_a_second_time_changes_nothing() {
    let (repo, (_cloud, front)) = (Repo::new(), endpoint().await);
    let run = |line: &[&str]| json(ctl(repo.path(), &front.url(), line));
    let first = run(&INIT);
    assert_eq!(hows(&first), vec!["created"; 8], "{first}");
    assert!(first["address"].as_str().expect("an address").ends_with(":80"), "{first}");
    let again = run(&INIT);
    assert_eq!(hows(&again), vec!["found"; 8], "{again}");
    assert_eq!(again["address"], first["address"]);
    let group = &run(&["status"])["group"];
    assert_eq!((&group["desired"], &group["min"]), (&Value::from(0), &Value::from(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_init_cannot_finish_it_does_not_begin() {
    let (repo, (_cloud, front)) = (Repo::new(), endpoint().await);
    let said = refused(ctl(repo.path(), &front.url(), &INIT[..7]), 5);
    assert!(said.contains("two subnets"), "{said}");
    let said = refused(ctl(repo.path(), &front.url(), &INIT[..9]), 5);
    assert!(said.contains("needs the port"), "{said}");
    let said = refused(ctl(repo.path(), &front.url(), &["status"]), 3);
    assert!(said.contains("the table does not exist"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn config_and_release_are_made_and_read_back() {
    let (repo, (_cloud, front)) = (Repo::new(), endpoint().await);
    let run = |line: &[&str]| ctl(repo.path(), &front.url(), line);
    run(&["init"]).assert().success();
    run(&["config", "set", "FOO=all", "BAR=1"]).assert().success();
    run(&["config", "set", "--release", "v1", "FOO=own"]).assert().success();
    run(&["config", "unset", "BAR", "--release", "v1"]).assert().success();
    assert_eq!(stdout(run(&["config", "list"])), "BAR=1\nFOO=all\n");
    assert_eq!(stdout(run(&["config", "list", "--release", "v1"])), "FOO=own\n");
    assert_eq!(json(run(&["release", "create", "v1"]))["how"], "created");
    assert_eq!(json(run(&["release", "create", "v1"]))["how"], "already_made");
    assert_eq!(json(run(&["release", "list"]))["releases"][0]["release"], "v1");
    assert!(stdout(run(&["release", "show", "v1"])).contains("required config  FOO\n"));
    let said = refused(run(&["release", "show", "v9"]), 3);
    assert!(said.contains("unknown release v9 of app web; releases: v1"), "{said}");
    let said = refused(run(&["verify"]), 3);
    assert!(said.contains("nothing was deployed yet"), "{said}");
    let said = refused(run(&["--app", "webb", "status"]), 3);
    assert!(said.contains("unknown app webb"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_instance_says_cannot_write_to_the_terminal() {
    let (repo, (cloud, front)) = (Repo::new(), endpoint().await);
    ctl(repo.path(), &front.url(), &["init"]).assert().success();
    let store = adf_config::connect::store(&cloud.sdk_config());
    store.put_receipt(&poisoned()).await.expect("written");
    let shown = stdout(ctl(repo.path(), &front.url(), &["status"]));
    assert!(shown.contains("failed in health: \\u{1b}[2Jall is well\\n"), "{shown}");
    assert!(!shown.contains('\u{1b}'));
}

fn poisoned() -> Receipt {
    let reason = "\u{1b}[2Jall is well\n".to_owned();
    Receipt {
        instance: "i-0123456789abcdef0".parse().expect("an id"),
        app: "web".parse().expect("a name"),
        release: "v1".parse().expect("a name"),
        release_digest: None,
        deploy: None,
        image_id: None,
        image_source: None,
        image_fallback: None,
        image_builder: None,
        config_hash: None,
        ami: None,
        agent_version: "0.1.0".to_owned(),
        state: InstanceState::Failed { stage: Stage::Health, reason, log_tail: Vec::new() },
        timings: Vec::new(),
        probes: ProbeCounts::default(),
        restarts: 0,
        notice: None,
        updated_at: Timestamp::now(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_tables_ends_with_3_and_says_what_makes_them() {
    let (repo, (_cloud, front)) = (Repo::new(), endpoint().await);
    let said = refused(ctl(repo.path(), &front.url(), &["status"]), 3);
    assert!(said.contains("hint: create the tables with: adf-ctl init"), "{said}");
}

#[test]
fn neither_adf_toml_nor_app_ends_with_2_before_aws_is_asked() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let said = refused(bare(folder.path(), &["status"]), 2);
    assert!(said.contains("no adf.toml in") && said.contains("hint: say --app NAME"), "{said}");
}

#[test]
fn a_misspelt_key_in_adf_toml_ends_with_2_and_names_the_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("adf.toml"), "[app]\nname = \"web\"\n[deploy]\nbakee = \"5s\"\n")
        .expect("a file");
    let said = refused(bare(folder.path(), &["status"]), 2);
    assert!(said.contains("bakee") && said.contains("line 4"), "{said}");
}

#[test]
fn no_region_ends_with_2() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let said = refused(bare(folder.path(), &["--app", "web", "status"]), 2);
    assert!(said.contains("hint: say --region"), "{said}");
}

#[test]
fn an_aws_that_does_not_answer_ends_with_6_and_says_so_in_json_too() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Port 1 (tcpmux) is privileged and has no listener: connections are refused at once.
    let said = refused(ctl(folder.path(), "http://127.0.0.1:1", &["--app", "web", "status", "--json"]), 6);
    let error: Value = serde_json::from_str(&said).expect("one line of JSON");
    assert_eq!(error["exit_code"], 6, "{error}");
    assert!(error["hint"].as_str().expect("a hint").contains("AWS_ENDPOINT_URL"), "{error}");
}

#[test]
fn completions_need_no_aws() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert!(stdout(bare(folder.path(), &["completions", "bash"])).contains("adf-ctl"));
}
