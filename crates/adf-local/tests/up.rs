//! The program `adf-local` as a user starts it.

mod common;

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use common::Network;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn adf_local(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_adf-local"));
    command.args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn up(args: &[&str]) -> Output {
    adf_local(&[&["up"], args].concat()).output().expect("it starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn terminate(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    kill(pid, Signal::SIGTERM).expect("it runs");
}

#[test]
fn it_prints_three_lines_answers_at_once_and_leaves_its_port_free() {
    let network = Network::claim();
    let range = format!("{}/16", network.base);
    let mut child =
        adf_local(&["up", "--no-runner", "--port", "0", "--network", &range]).spawn().expect("it starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let lines: Vec<String> = stdout.by_ref().lines().take(3).collect::<Result<_, _>>().expect("three lines");
    let address =
        lines[0].strip_prefix("export AWS_ENDPOINT_URL=http://").expect("the endpoint first").to_owned();
    assert_eq!(
        lines[1..],
        [
            "export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1",
            "export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local"
        ]
    );
    drop(TcpStream::connect(&address).expect("it answers"));

    terminate(&child);
    let status = child.wait().expect("it ends");
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("the rest");
    assert_eq!((status.code(), rest.as_str()), (Some(0), ""));
    drop(TcpListener::bind(&address).expect("its port is free again"));
}

#[test]
fn a_port_in_use_is_said_before_anything_is_started() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let output = up(&["--no-runner", "--port", &port]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()));
    let message = text(&output.stderr);
    assert!(
        message.contains(&format!("port {port} of 127.0.0.1 is in use")) && message.contains("--port"),
        "{message}"
    );
}

#[test]
fn without_docker_it_says_which_socket_and_what_to_do() {
    let mut command = adf_local(&["up", "--port", "0"]);
    let output = command.env("DOCKER_HOST", "unix:///nowhere/docker.sock").output().expect("it starts");
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), String::new()));
    let message = text(&output.stderr);
    for part in ["unix:///nowhere/docker.sock", "systemctl start docker", "--no-runner"] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
}

#[test]
fn a_missing_agent_is_said_with_its_path() {
    let output = up(&["--port", "0", "--agent", "/nowhere/adf-agent"]);
    assert_eq!(output.status.code(), Some(2));
    let message = text(&output.stderr);
    assert!(
        message.contains("/nowhere/adf-agent") && message.contains("cargo build -p adf-agent"),
        "{message}"
    );
}

#[test]
fn a_network_that_is_not_loopback_is_a_usage_error() {
    let output = up(&["--network", "10.0.0.0/16"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("127.N.0.0/16"), "{}", text(&output.stderr));
}

#[test]
fn an_agent_ends_even_when_adf_local_is_killed() {
    // The shell plays an adf-local that is killed outright.
    let script = format!("{} machine $$ /bin/sleep 1000 & echo $!; wait", env!("CARGO_BIN_EXE_adf-local"));
    let mut shell =
        Command::new("/bin/sh").args(["-c", &script]).stdout(Stdio::piped()).spawn().expect("a shell");
    let mut line = String::new();
    BufReader::new(shell.stdout.take().expect("piped")).read_line(&mut line).expect("a process id");
    let comm = format!("/proc/{}/comm", line.trim());
    let running = || std::fs::read_to_string(&comm).is_ok_and(|name| name.trim() == "sleep");
    until("it became the program", running);
    shell.kill().expect("killed");
    shell.wait().expect("ended");
    let stat = format!("/proc/{}/stat", line.trim());
    until("the program ended too", || {
        std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "))
    });
}

fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..200 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("10 s passed and not yet: {what}");
}
