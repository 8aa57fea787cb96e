//! The agent as a systemd service: what systemd and the journal are told, what `adf-agent status` answers, and that
//! systemd accepts the unit file.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::rig::{DOCKERFILE, Rig, answer, archive, eventually, run, terminate, with_journal};

/// Longer than anything these tests wait for.
const PATIENCE: Duration = Duration::from_mins(1);

/// Receives until a message holds `wanted`; all of them, in order.
fn until(socket: &UnixDatagram, wanted: &str) -> Vec<String> {
    let mut told = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let length = socket.recv(&mut buffer).unwrap_or_else(|e| panic!("no {wanted} ({e}) in {told:#?}"));
        told.push(String::from_utf8_lossy(&buffer[..length]).into_owned());
        if told.last().is_some_and(|line| line.contains(wanted)) {
            return told;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_learns_of_each_stage_of_readiness_of_life_of_a_reload_and_of_the_end() {
    let rig = Rig::new().await;
    let toml = b"[run]\nstop_grace = \"1s\"\ninterval = \"200ms\"\n";
    rig.serve("/web.tar.gz", &archive(Some(DOCKERFILE), &[("adf.toml", toml)])).await;
    rig.told("").await;
    let notify = rig.dir.path().join("notify");
    let socket = UnixDatagram::bind(&notify).expect("bound");
    socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let settings = rig.settings("");
    let mut command = rig.command(&settings, "http://127.0.0.1:9");
    let log = std::fs::File::create(rig.log_path()).expect("a log file");
    command
        .env("NOTIFY_SOCKET", &notify)
        .env("WATCHDOG_USEC", "4000000")
        .env_remove("WATCHDOG_PID")
        .stderr(log);
    let agent = crate::rig::Agent(command.spawn().expect("the agent starts"));

    let booting = until(&socket, "READY=1");
    for stage in ["identify:", "claim:", "prepare:", "start:", "health:", "ready:"] {
        assert!(booting.iter().any(|told| told.contains(&format!("STATUS={stage}"))), "{stage} {booting:#?}");
    }
    assert!(booting.last().is_some_and(|told| told.contains("STATUS=serving app ")), "{booting:#?}");
    assert!(!booting.iter().any(|told| told.contains("WATCHDOG")), "only what serves is watched");
    until(&socket, "WATCHDOG=1");
    until(&socket, "WATCHDOG=1");

    answer(&rig.address).await;
    let status = |json: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_adf-agent"));
        command.args(["status", "--config"]).arg(&settings).args(json).output().expect("runs")
    };
    let text = String::from_utf8_lossy(&status(&[]).stdout).into_owned();
    assert!(
        text.contains(&format!("(pid {})", agent.0.id())) && text.contains("state     serving"),
        "{text}"
    );
    let living: serde_json::Value = serde_json::from_slice(&status(&["--json"]).stdout).expect("JSON");
    assert_eq!((&living["source"], &living["stage"]), (&"agent".into(), &"supervise".into()));
    assert_eq!(living["container"].as_str(), rig.containers(false).first().map(String::as_str), "{living}");

    assert!(run("kill", &["-HUP", &agent.0.id().to_string()]).status.success());
    let reloading = until(&socket, "RELOADING=1").pop().expect("told");
    assert!(reloading.contains("MONOTONIC_USEC="), "{reloading}");
    until(&socket, "READY=1");
    assert_eq!(rig.containers(true).len(), 1, "the config is the same: the container stays");

    terminate(&agent);
    let end = until(&socket, "STOPPING=1");
    assert!(end.last().is_some_and(|told| told.contains("STATUS=draining: told to stop")), "{end:#?}");
    eventually("the agent's end", async || rig.containers(false).is_empty().then_some(())).await;
    drop(agent);
    let text = String::from_utf8_lossy(&status(&[]).stdout).into_owned();
    assert!(text.starts_with("agent     not running; this is its last receipt"), "{text}");
}

/// One datagram of the journal's native protocol: `KEY=value` lines, or `KEY`, a length and that many bytes.
fn fields(mut datagram: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    while let Some(end) = datagram.iter().position(|b| *b == b'\n') {
        let line = String::from_utf8_lossy(&datagram[..end]).into_owned();
        datagram = &datagram[end + 1..];
        if let Some((key, value)) = line.split_once('=') {
            fields.insert(key.to_owned(), value.to_owned());
        } else {
            let length = u64::from_le_bytes(datagram[..8].try_into().expect("eight bytes"));
            let length = usize::try_from(length).expect("small");
            fields.insert(line, String::from_utf8_lossy(&datagram[8..8 + length]).into_owned());
            datagram = &datagram[8 + length + 1..];
        }
    }
    fields
}

#[tokio::test(flavor = "multi_thread")]
async fn each_line_in_the_journal_says_whose_it_is_and_the_console_gets_the_end() {
    let rig = Rig::new().await;
    rig.told("RELEASE=v1\nDEPLOY=d-1\n").await;
    let journal = rig.dir.path().join("journal");
    std::fs::create_dir(&journal).expect("a folder");
    let socket = UnixDatagram::bind(journal.join("socket")).expect("bound");
    socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
    let stderr = std::fs::File::create(rig.log_path()).expect("a log file");
    let stream = stderr.metadata().expect("a file");
    let mut agent = rig.command(&rig.settings("boot_timeout = \"2s\""), "http://127.0.0.1:9");
    agent.env("DOCKER_HOST", "unix:///nonexistent/docker.sock");
    // As systemd sets it; nothing else says that the journal is wanted.
    agent.env("JOURNAL_STREAM", format!("{}:{}", stream.dev(), stream.ino()));
    let mut command = with_journal(&journal, &agent);
    let mut running = command.stdout(Stdio::null()).stderr(stderr).spawn().expect("starts (as root)");

    let mut lines = Vec::new();
    let mut buffer = vec![0; 65536];
    let status = loop {
        match socket.recv(&mut buffer) {
            Ok(length) => lines.extend((length > 0).then(|| fields(&buffer[..length]))),
            Err(_) => {
                if let Some(status) = running.try_wait().expect("a child") {
                    break status;
                }
            }
        }
    };
    assert_eq!(status.code(), Some(78), "{}", rig.log());
    let get = |line: &BTreeMap<String, String>, key: &str| line.get(key).cloned().unwrap_or_default();
    let failed = lines.last().expect("lines");
    assert!(
        get(failed, "MESSAGE").starts_with("failed: E190 the boot did not finish within its 2 s"),
        "{failed:?}"
    );
    for (key, value) in [
        ("ADF_APP", "app"),
        ("ADF_RELEASE", "v1"),
        ("ADF_DEPLOY", "d-1"),
        ("ADF_INSTANCE", rig.instance.as_str()),
        ("ADF_STAGE", "claim"),
        ("PRIORITY", "3"),
        ("SYSLOG_IDENTIFIER", "adf-agent"),
    ] {
        assert_eq!(get(failed, key), value, "{key} in {failed:?}");
    }
    assert!(
        lines
            .iter()
            .all(|line| !get(line, "ADF_STAGE").is_empty() && line.keys().all(|k| !k.starts_with("F_")))
    );
    let stderr = rig.log();
    assert!(
        stderr.starts_with("adf-agent: failed in claim: E190 "),
        "log lines are in the journal alone: {stderr}"
    );
}

#[test]
fn systemd_accepts_the_unit_file() {
    let unit = include_str!("../../../../systemd/adf-agent.service");
    for line in [
        "Type=notify",
        "WatchdogSec=60",
        "LimitCORE=0",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "RestartPreventExitStatus=78",
        "StandardError=journal+console",
    ] {
        assert!(unit.lines().any(|l| l == line), "{line}");
    }
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("adf-agent.service");
    // The agent is not installed here, and neither is Docker's unit on every machine.
    std::fs::write(&path, unit.replace("/usr/local/bin/adf-agent run", "/bin/true")).expect("written");
    let checked = run("systemd-analyze", &["verify", "--man=no", &path.display().to_string()]);
    let said = String::from_utf8_lossy(&checked.stderr).into_owned();
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("adf-agent")).collect();
    assert!(checked.status.success() && ours.is_empty(), "{said}");
}
