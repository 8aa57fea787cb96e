//! A whole cloud on this machine, for tests: the real `adf-local`, `adf-agent` and `adf-ctl`, with Docker.

mod archive;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) use archive::Archive;

/// Dropping it ends the cloud and removes everything of it.
#[derive(Debug)]
pub(crate) struct Machine {
    local: Child,
    environment: Vec<(String, String)>,
    folder: tempfile::TempDir,
    network: u8,
}

/// What a command of the operator came to.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) json: Value,
    pub(crate) stderr: String,
}

/// Loaded machines are slow to stop ten containers; nothing here waits for it unless it hangs.
const PATIENCE: Duration = Duration::from_mins(1);

impl Machine {
    /// Starts a cloud in a loopback network of its own: tests run side by side.
    pub(crate) fn start() -> Self {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let nth = std::process::id().wrapping_mul(2) + STARTED.fetch_add(1, Ordering::Relaxed);
        let network = 100 + u8::try_from(nth % 100).expect("below 100");
        let mut local = Command::new(program("adf-local"))
            .args(["up", "--port", "0", "--network", &format!("127.{network}.0.0/16")])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("adf-local starts");
        let printed = BufReader::new(local.stdout.take().expect("stdout is piped")).lines().take(3);
        let environment =
            printed.flat_map(|line| exports(&line.expect("adf-local prints text"))).collect::<Vec<_>>();
        assert!(!environment.is_empty(), "adf-local ended before it was ready");
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { local, environment, folder, network }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `adf-ctl`, with `--json`, in the machine's folder.
    pub(crate) fn ctl(&self, words: &[&str]) -> Ended {
        let Output { status, stdout, stderr } = Command::new(env!("CARGO_BIN_EXE_adf-ctl"))
            .args(words)
            .arg("--json")
            .current_dir(self.folder())
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .output()
            .expect("adf-ctl runs");
        let stdout = String::from_utf8_lossy(&stdout).into_owned();
        let stderr = String::from_utf8_lossy(&stderr).into_owned();
        let json = if stdout.trim().is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&stdout)
                .unwrap_or_else(|e| panic!("{words:?} printed no JSON ({e}): {stdout}"))
        };
        Ended { code: status.code().unwrap_or(-1), json, stderr }
    }

    /// Runs `adf-ctl` and fails the test unless it succeeds.
    pub(crate) fn must(&self, words: &[&str]) -> Value {
        let ended = self.ctl(words);
        assert_eq!(ended.code, 0, "adf-ctl {words:?} failed:\n{}", ended.stderr);
        ended.json
    }

    /// Takes `port` on every instance address that no instance has yet, as a foreign program would.
    pub(crate) fn occupy(&self, port: u16) -> Vec<std::net::TcpListener> {
        let addresses = (1..=3).flat_map(|subnet| (1..=100).map(move |host| (subnet, host)));
        addresses
            .filter_map(|(subnet, host)| {
                std::net::TcpListener::bind(SocketAddr::from(([127, self.network, subnet, host], port))).ok()
            })
            .collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let id = self.local.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Ok(Some(_)) = self.local.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        let _ = self.local.kill();
    }
}

/// The body of `GET /`, asked of `host:port`.
pub(crate) fn get(address: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("the load balancer listens");
    write!(stream, "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or(answer)
}

/// The workspace's programs stand in one folder; cargo names only those of this package to a test.
fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_adf-ctl")).with_file_name(name);
    assert!(path.exists(), "{} is not built; run `cargo build --workspace --bins`", path.display());
    path
}

/// `export A=1 B=2` as pairs.
fn exports(line: &str) -> Vec<(String, String)> {
    let words = line.strip_prefix("export ").unwrap_or_default().split_whitespace();
    words.filter_map(|word| word.split_once('=')).map(|(n, v)| (n.to_owned(), v.to_owned())).collect()
}
