//! The `adf-config` binary, driven as a shell drives it, against an adf-local endpoint.

mod care;
mod clean_up;
mod tables_of_2013;
mod verbs;

use adf_local::cloud::Cloud;
use adf_local::front::Front;
use assert_cmd::Command;
use jiff::Timestamp;

/// An endpoint of an account that has the tables.
async fn endpoint() -> Front {
    let cloud = Cloud::new("us-east-1", Timestamp::now());
    adf_config::connect::store(&cloud.sdk_config()).create_tables().await.expect("the tables");
    Front::open(cloud, 0).await.expect("a free port")
}

/// The command with nothing of this machine's AWS settings.
fn adf_config(line: &[&str]) -> Command {
    let mut command = Command::cargo_bin("adf-config").expect("built for this test");
    command.env_clear().env("HOME", "/nonexistent").env("AWS_EC2_METADATA_DISABLED", "true").args(line);
    command
}

fn signed(line: &[&str], endpoint: &str) -> Command {
    let mut command = adf_config(line);
    command.env("AWS_ENDPOINT_URL", endpoint).env("AWS_REGION", "us-east-1");
    command.env("AWS_ACCESS_KEY_ID", "local").env("AWS_SECRET_ACCESS_KEY", "local");
    command
}

fn stderr(command: &mut Command, code: i32) -> String {
    let output = command.assert().code(code).get_output().clone();
    assert!(output.stdout.is_empty(), "results only go to stdout");
    String::from_utf8(output.stderr).expect("UTF-8")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_of_2013_works() {
    let front = endpoint().await;
    let run = |line: &[&str]| signed(line, &front.url()).assert().success().get_output().stdout.clone();
    run(&["-s", "FOO=bar", "-s", "BAZ=qux=1", "-a", "web"]);
    assert_eq!(run(&["-l", "-a", "web"]), b"BAZ=qux=1\nFOO=bar\n");
    run(&["-d", "FOO", "-a", "web"]);
    assert_eq!(run(&["-z", "us-east-1", "-l", "-a", "web"]), b"BAZ=qux=1\n");
    let json: serde_json::Value =
        serde_json::from_slice(&run(&["-l", "-a", "web", "--json"])).expect("one document");
    assert_eq!(json["config"][0]["value"], "qux=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_app_ends_with_3() {
    let front = endpoint().await;
    let said = stderr(&mut signed(&["-l", "-a", "webb"], &front.url()), 3);
    assert!(said.starts_with("error: unknown app webb") && said.contains("\nhint: "), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_tables_ends_with_3_and_says_what_makes_them() {
    let cloud = Cloud::new("us-east-1", Timestamp::now());
    let front = Front::open(cloud, 0).await.expect("a free port");
    let said = stderr(&mut signed(&["-l", "-a", "web"], &front.url()), 3);
    assert!(
        said.contains("adf-config") && said.contains("hint: create the tables with: adf-ctl init"),
        "{said}"
    );
}

#[test]
fn an_aws_that_does_not_answer_ends_with_6() {
    // Port 1 (tcpmux) is privileged and has no listener: connections are refused at once.
    let said = stderr(&mut signed(&["-l", "-a", "web"], "http://127.0.0.1:1"), 6);
    assert!(said.contains("E151") && said.contains("AWS_ENDPOINT_URL"), "{said}");
}

#[test]
fn no_region_ends_with_2_and_names_the_places_that_were_looked_at() {
    let said = stderr(&mut adf_config(&["-l", "-a", "web"]), 2);
    assert!(said.contains("AWS_REGION") && said.contains("hint: say --region"), "{said}");
}

#[test]
fn no_credentials_end_with_6() {
    let said = stderr(adf_config(&["-l", "-a", "web"]).env("AWS_REGION", "us-east-1"), 6);
    assert!(said.contains("no usable AWS credentials"), "{said}");
}

#[test]
fn a_config_name_with_a_space_ends_with_2() {
    let said = stderr(&mut adf_config(&["-s", "DB PASS=hunter2", "-a", "web"]), 2);
    assert!(said.contains("E153 config name \"DB PASS\"") && !said.contains("hunter2"), "{said}");
}
