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
        boot_id: None,
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

/// An app that `init` made, with the release v1 and a target group as AWS makes them by default.
async fn planned(repo: &Repo) -> (Cloud, Front) {
    let (cloud, front) = endpoint().await;
    let run = |line: &[&str]| ctl(repo.path(), &front.url(), line);
    run(&INIT).assert().success();
    run(&["config", "set", "FOO=1"]).assert().success();
    run(&["release", "create", "v1"]).assert().success();
    (cloud, front)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_printed_whatever_it_says_and_its_code_is_5_where_a_wanted_deadline_does_not_hold() {
    let repo = Repo::new();
    let (_cloud, front) = planned(&repo).await;
    let run = |line: &[&str]| ctl(repo.path(), &front.url(), line);
    let text = stdout(run(&["plan", "v1"]));
    assert!(text.contains("2 instances boot, build the image, are healthy"), "{text}");
    assert!(text.contains("within the deadline of 300 s"), "{text}");
    assert_eq!(json(run(&["plan", "v1"]))["fits"], true);
    let refused = run(&["plan", "v1", "--deadline", "1m"]).assert().code(5).get_output().clone();
    let (out, told) = (String::from_utf8_lossy(&refused.stdout), String::from_utf8_lossy(&refused.stderr));
    assert!(out.contains("past the deadline of 60 s"), "the plan is the result all the same: {out}");
    assert!(told.contains("60 s wanted") && told.contains("[deploy] deadline = "), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_what_a_deploy_would_be_refused_for_ends_with_5_and_says_how_to_mend_it() {
    let repo = Repo::new();
    let (_cloud, front) = planned(&repo).await;
    let run = |line: &[&str]| ctl(repo.path(), &front.url(), line);
    run(&["config", "unset", "FOO", "--force"]).assert().success();
    let refused = run(&["plan", "v1"]).assert().code(5).get_output().clone();
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("hint: adf-ctl config set FOO=VALUE"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_broken_with_the_apps_name_only() {
    let (repo, (cloud, front)) = (Repo::new(), endpoint().await);
    let run = |line: &[&str]| ctl(repo.path(), &front.url(), line);
    run(&["init"]).assert().success();
    assert_eq!(stdout(run(&["lock", "show"])), "the lock of web is free\n");
    assert_eq!(stdout(run(&["lock", "break"])), "the lock of web is free\n");
    let store = adf_config::connect::store(&cloud.sdk_config());
    let app = "web".parse().expect("a name");
    let anns = store.take_lock(&app, "ann", None).await.expect("free");
    // With --force nobody waits to see whether it beats.
    let said = refused(run(&["lock", "break", "--force"]), 5);
    assert!(said.contains("no terminal to ask at") && said.contains("--yes web"), "{said}");
    let said = refused(run(&["lock", "break", "--force", "--yes", "web-staging"]), 5);
    assert!(said.contains("--yes says web-staging"), "{said}");
    store.beat(&anns).await.expect("still hers");
    let freed = stdout(run(&["lock", "break", "--force", "--yes", "web"]));
    assert_eq!(freed, "the lock of web is free; ann held it\n");
    store.beat(&anns).await.expect_err("no longer hers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_of_nothing_is_none_and_of_an_unknown_deploy_not_found() {
    let (repo, (_cloud, front)) = (Repo::new(), endpoint().await);
    let run = |line: &[&str]| ctl(repo.path(), &front.url(), line);
    run(&["init"]).assert().success();
    assert!(refused(run(&["history"]), 3).contains("unknown app web"));
    assert!(refused(run(&["history", "d-1"]), 3).contains("unknown deploy d-1 of app web"));
    run(&["config", "set", "FOO=1"]).assert().success();
    assert_eq!(stdout(run(&["history"])), "nothing of web was deployed yet\n");
    assert!(stdout(run(&["logs"])).starts_with("every instance of web is well"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_status_ends_well_with_ctrl_c_and_prints_no_escape_without_a_terminal() {
    let (repo, (_cloud, front)) = (Repo::new(), endpoint().await);
    ctl(repo.path(), &front.url(), &["init"]).assert().success();
    ctl(repo.path(), &front.url(), &["config", "set", "FOO=1"]).assert().success();
    let program = assert_cmd::cargo::cargo_bin("adf-ctl");
    let mut command = std::process::Command::new(program);
    command.current_dir(repo.path()).args(["status", "--watch"]).env("AWS_ENDPOINT_URL", front.url());
    command
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "local")
        .env("AWS_SECRET_ACCESS_KEY", "local");
    let mut watch = command.stdout(std::process::Stdio::piped()).spawn().expect("it starts");
    let mut out = std::io::BufReader::new(watch.stdout.take().expect("piped"));
    let mut shown = String::new();
    while !shown.contains("lock ") {
        assert!(std::io::BufRead::read_line(&mut out, &mut shown).expect("readable") > 0, "{shown}");
    }
    assert!(shown.starts_with("app       web\n"), "{shown:?}");
    let kill = std::process::Command::new("kill").args(["-INT", &watch.id().to_string()]).status();
    assert!(kill.expect("kill is there").success());
    assert_eq!(watch.wait().expect("it ends").code(), Some(0));
}
