//! The Python that tests run what nobody here wrote with: boto3, and moto as a second opinion.
//!
//! The virtual environment is made once under the target directory, by the first test that needs it, from
//! `requirements.txt`; without Python 3, its venv module or a package index these tests fail and say so. The tests of
//! other crates include this file by its path and share the environment.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const REQUIREMENTS: &str = include_str!("requirements.txt");

/// Where the scripts are, from whichever crate's tests.
pub(crate) fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../adf-local/tests/python")
}

/// The Python of an environment with the pinned packages.
pub(crate) fn virtual_environment() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python");
    fs::create_dir_all(&home).expect("the target directory is writable");
    let lock = File::create(home.with_extension("lock")).expect("the target directory is writable");
    lock.lock().expect("the lock of the virtual environment");
    let (python, made) = (home.join("bin/python"), home.join("made-from.txt"));
    if fs::read_to_string(&made).is_ok_and(|from| from == REQUIREMENTS) {
        return python;
    }
    let venv = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home).output();
    let venv = venv.expect("python3 is needed for these tests; install Python 3 with its venv module");
    assert!(
        venv.status.success(),
        "python3 -m venv failed; install its venv module (Debian: python3-venv):\n{}",
        text(&venv)
    );
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "-r"]).arg(scripts().join("requirements.txt"));
    let pip = pip.output().expect("the new environment's Python starts");
    assert!(
        pip.status.success(),
        "pip could not install the packages of adf-local's tests/python/requirements.txt; these tests need a package \
         index:\n{}",
        text(&pip)
    );
    fs::write(made, REQUIREMENTS).expect("the target directory is writable");
    python
}

pub(crate) fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
