//! Clients that nobody here wrote: boto3 drives adf-local, and its answers have the shape of moto's.
//!
//! The virtual environment is made once under the target directory from `tests/python/requirements.txt`; without Python 3,
//! its venv module or a package index these tests fail and say so.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use adf_local::cloud::Cloud;
use adf_local::front::Front;
use adf_local::model::Settings;
use jiff::Timestamp;

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

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python")
}

/// The Python of an environment with the pinned packages, made by the first test that needs it.
fn virtual_environment() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    fs::create_dir_all(&home).expect("the target directory is writable");
    let lock = File::create(home.with_extension("lock")).expect("the target directory is writable");
    lock.lock().expect("the lock of the virtual environment");
    let requirements = scripts().join("requirements.txt");
    let wanted = fs::read_to_string(&requirements).expect("requirements.txt is there");
    let (python, made) = (home.join("bin/python"), home.join("made-from.txt"));
    if fs::read_to_string(&made).is_ok_and(|from| from == wanted) {
        return python;
    }
    let venv = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home).output();
    let venv = venv.expect("python3 is needed for these tests; install Python 3 with its venv module");
    assert!(
        venv.status.success(),
        "python3 -m venv failed; install its venv module (Debian: python3-venv):\n{}",
        text(&venv)
    );
    let pip =
        Command::new(&python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(requirements).output();
    let pip = pip.expect("the new environment's Python starts");
    assert!(
        pip.status.success(),
        "pip could not install the packages of tests/python/requirements.txt; these tests need a package index:\n{}",
        text(&pip)
    );
    fs::write(made, wanted).expect("the target directory is writable");
    python
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
