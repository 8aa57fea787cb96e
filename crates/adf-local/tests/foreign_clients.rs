//! Clients that nobody here wrote: boto3 drives adf-local, and its answers have the shape of moto's.

mod python;

use std::process::Command;
use std::time::Duration;

use adf_local::cloud::Cloud;
use adf_local::front::Front;
use adf_local::model::Settings;
use jiff::Timestamp;

use python::{scripts, text, virtual_environment};

#[test]
fn boto3_creates_scales_reads_back_and_terminates() {
    run_against_adf_local("drive.py");
}

#[test]
fn shared_calls_answer_in_the_shape_moto_answers_in() {
    run_against_adf_local("compare.py");
}

#[test]
fn boto3_stores_and_reads_back_exactly() {
    run_against_adf_local("storage.py");
}

fn run_against_adf_local(script: &str) {
    let python = virtual_environment();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let settings = Settings {
        boot_delay: Duration::from_millis(200),
        halt_limit: Duration::from_millis(200),
        asg_reaction: Duration::from_millis(50),
        ..Settings::default()
    };
    let front = runtime
        .block_on(Front::open(Cloud::with_settings(settings, 1, Timestamp::now()), 0))
        .expect("a free port");
    let output = Command::new(python)
        .arg(scripts().join(script))
        .env("AWS_ENDPOINT_URL", front.url())
        .env("AWS_ACCESS_KEY_ID", "adf")
        .env("AWS_SECRET_ACCESS_KEY", "adf")
        .env("AWS_DEFAULT_REGION", "us-east-1")
        .env("AWS_MAX_ATTEMPTS", "1")
        .output()
        .expect("the virtual environment's Python starts");
    drop(front);
    assert!(output.status.success(), "{script} failed:\n{}", text(&output));
}
