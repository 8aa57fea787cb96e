//! The `adf-config` binary, driven as a shell drives it.
//!
//! What needs an AWS is in the files that `against_*.rs` name, and runs twice: against adf-local's endpoint
//! and against moto's. A test gets its own endpoint by `Account::open()`.

#![expect(clippy::duplicate_mod, reason = "the same tests, once against each AWS")]

mod account;
mod against_adf_local;
mod against_moto;
mod aws;
mod on_an_instance;
#[path = "../../../adf-local/tests/python/mod.rs"]
mod python;

use assert_cmd::Command;

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

#[test]
fn completions_are_of_the_same_definition() {
    let script = adf_config(&["--completions", "bash"]).assert().success().get_output().stdout.clone();
    let script = String::from_utf8(script).expect("UTF-8");
    assert!(script.contains("--based-on") && script.contains("-F _adf__config"), "{script}");
}
