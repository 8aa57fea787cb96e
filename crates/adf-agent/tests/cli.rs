//! The command line where it needs nothing outside: exit codes, and what is printed where.

use std::process::{Command, Output};

fn agent(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_adf-agent")).args(args).output().expect("the agent runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_bad_command_line_is_a_usage_error() {
    assert_eq!(agent(&["walk"]).status.code(), Some(2));
    assert_eq!(agent(&[]).status.code(), Some(2));
}

#[test]
fn a_settings_file_that_is_not_there_is_a_usage_error_that_names_it() {
    let output = agent(&["run", "--config", "/nonexistent/agent.toml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("/nonexistent/agent.toml"), "{output:?}");
}

#[test]
fn a_misspelt_setting_is_a_usage_error_that_names_it() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("agent.toml");
    std::fs::write(&path, "bnid = \"127.0.0.1\"\n").expect("written");
    let output = agent(&["run", "--config", &path.display().to_string()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("bnid"), "{output:?}");
}

#[test]
fn status_before_any_run_says_where_it_looked_and_prints_no_data() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("agent.toml");
    std::fs::write(&path, format!("run_dir = \"{}\"\n", dir.path().display())).expect("written");
    let output = agent(&["status", "--json", "--config", &path.display().to_string()]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
    assert!(stderr(&output).contains("receipt.json"), "{output:?}");
}

#[test]
fn fault_42_a_second_agent_ends_at_once_without_failing_and_says_who_runs() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("agent.toml");
    std::fs::write(&path, format!("run_dir = \"{}\"\n", dir.path().display())).expect("written");
    let held = adf_agent::lock::lock(dir.path()).expect("free");
    let began = std::time::Instant::now();
    let output = agent(&["run", "--config", &path.display().to_string()]);
    assert_eq!(output.status.code(), Some(0), "systemd must not start it again");
    assert!(began.elapsed().as_secs() < 10, "without asking anything of anybody");
    let said = format!("E182 another adf-agent (pid {}) is running and holds", std::process::id());
    assert!(stderr(&output).contains(&said), "{output:?}");
    assert!(!dir.path().join("agent.sock").exists(), "the first one's socket is not replaced");
    drop(held);
}
