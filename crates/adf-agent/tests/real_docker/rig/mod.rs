//! A rig around the real agent binary and the host's Docker: metadata and archives over loopback HTTP, an address,
//! an instance id and an image prefix of its own, and nothing left behind.

mod proxy;
mod registry;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

pub(crate) use proxy::{Proxy, Trouble};
pub(crate) use registry::{Registry, host};

pub(crate) const DOCKERFILE: &str =
    "FROM scratch\nCOPY app /app\nEXPOSE 8080\nENTRYPOINT [\"/app\", \"serve\"]\n";

/// What any wait of these tests may take on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(2);

pub(crate) struct Rig {
    pub(crate) instance: String,
    pub(crate) address: String,
    pub(crate) prefix: String,
    pub(crate) dir: TempDir,
    pub(crate) server: MockServer,
}

/// A running agent; killed when dropped.
pub(crate) struct Agent(pub(crate) Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Tells the rigs and registries of one process apart.
fn number() -> u8 {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// An address that no other test uses at the same time: their processes differ in the last 16 bits of their ids.
fn loopback(second: u8) -> String {
    let [.., third, fourth] = std::process::id().to_be_bytes();
    format!("127.{second}.{third}.{fourth}")
}

impl Rig {
    pub(crate) async fn new() -> Self {
        let docker = run("docker", &["version", "--format", "{{.Server.Version}}"]);
        assert!(
            docker.status.success(),
            "these tests need Docker: {}",
            String::from_utf8_lossy(&docker.stderr)
        );
        let (process, number) = (std::process::id(), number());
        let rig = Self {
            instance: format!("i-{process:08x}{number:02x}"),
            address: loopback(128 + number % 64),
            prefix: format!("adf-it-{process}-{number}"),
            dir: tempfile::tempdir().expect("a temporary folder"),
            server: MockServer::start().await,
        };
        rig.serve_identity().await;
        rig
    }

    async fn serve_identity(&self) {
        let token = ResponseTemplate::new(200)
            .insert_header("x-aws-ec2-metadata-token-ttl-seconds", "21600")
            .set_body_string("token");
        Mock::given(method("PUT"))
            .and(path("/latest/api/token"))
            .respond_with(token)
            .mount(&self.server)
            .await;
        self.serve("/latest/meta-data/instance-id", self.instance.as_bytes()).await;
        self.serve("/latest/meta-data/placement/region", b"us-east-1").await;
    }

    /// The role of the instance, for tests that read config.
    pub(crate) async fn serve_role(&self) {
        self.serve("/latest/meta-data/iam/security-credentials/", b"adf").await;
        let credentials = br#"{"Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": "ASIATEST", "SecretAccessKey": "secret",
            "Token": "token", "LastUpdated": "2026-01-01T00:00:00Z", "Expiration": "2099-01-01T00:00:00Z"}"#;
        self.serve("/latest/meta-data/iam/security-credentials/adf", credentials).await;
    }

    pub(crate) async fn serve(&self, at: &str, body: &[u8]) {
        let answer = ResponseTemplate::new(200).set_body_bytes(body);
        Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(&self.server).await;
    }

    /// User data, with the archive's URL.
    pub(crate) async fn told(&self, more: &str) {
        let user_data = format!("RELEASE_URL=\"{}/web.tar.gz\"\n{more}", self.server.uri());
        self.serve("/latest/user-data", user_data.as_bytes()).await;
    }

    /// Writes agent.toml and tells its path.
    pub(crate) fn settings(&self, more: &str) -> PathBuf {
        let path = self.dir.path().join("agent.toml");
        let text = format!(
            "bind = \"{}\"\nrun_dir = \"{}\"\nstate_dir = \"{}\"\nimage_prefix = \"{}\"\nblock_imds = false\n{more}\n",
            self.address,
            self.dir.path().join("run").display(),
            self.dir.path().join("state").display(),
            self.prefix
        );
        std::fs::write(&path, text).expect("written");
        path
    }

    /// The agent's command line; AWS is where `endpoint` is.
    pub(crate) fn command(&self, settings: &Path, endpoint: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_adf-agent"));
        command
            .args(["run", "--config"])
            .arg(settings)
            .env("AWS_EC2_METADATA_SERVICE_ENDPOINT", self.server.uri())
            .env("AWS_ENDPOINT_URL", endpoint)
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY")
            .env_remove("NOTIFY_SOCKET")
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        command
    }

    /// Removes this instance's containers and images.
    pub(crate) fn clear(&self) {
        for container in self.containers(true) {
            run("docker", &["rm", "--force", "--volumes", &container]);
        }
        for image in self.images() {
            run("docker", &["rmi", "--force", &image]);
        }
    }

    /// Serves identity alone again.
    pub(crate) async fn forget(&self) {
        self.server.reset().await;
        self.serve_identity().await;
    }

    /// Starts an agent that keeps running; its log goes to `agent.log` in the rig's folder.
    pub(crate) fn start(&self, settings: &Path, endpoint: &str) -> Agent {
        Agent(self.command(settings, endpoint).stderr(self.log_file()).spawn().expect("the agent starts"))
    }

    pub(crate) fn log_file(&self) -> std::fs::File {
        std::fs::File::options().create(true).append(true).open(self.log_path()).expect("a log file")
    }

    pub(crate) fn log_path(&self) -> PathBuf {
        self.dir.path().join("agent.log")
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Runs an agent whose boot fails: its exit code and its last line.
    pub(crate) async fn fails(&self, settings: &Path) -> (Option<i32>, String) {
        let mut command = self.command(settings, "http://127.0.0.1:9");
        let output = tokio::task::spawn_blocking(move || command.output().expect("the agent starts"));
        let output = tokio::time::timeout(PATIENCE, output).await.expect("the boot ends").expect("no panic");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), text.lines().last().unwrap_or_default().to_owned())
    }

    /// The ids of this instance's containers, running or not.
    pub(crate) fn containers(&self, all: bool) -> Vec<String> {
        let filter = format!("label=adf.instance={}", self.instance);
        let mut args = vec!["ps", "--quiet", "--no-trunc", "--filter", &filter];
        if all {
            args.push("--all");
        }
        lines(&run("docker", &args))
    }

    pub(crate) fn images(&self) -> Vec<String> {
        lines(&run("docker", &["images", "--quiet", "--filter", &format!("reference={}/*", self.prefix)]))
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.clear();
        if std::thread::panicking() {
            eprintln!("the agent's log:\n{}", self.log());
        }
    }
}

/// Whether the tests run as root; else they run as somebody who has sudo, as the README says.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// Runs a test again as root, with sudo, where it does not run as root: what it tries is only root's to do. Tells whether it
/// did, and so whether the test is over.
pub(crate) fn done_as_root(test: &str) -> bool {
    if is_root() {
        return false;
    }
    let path = std::env::var("PATH").unwrap_or_default();
    let this = std::env::current_exe().expect("a test binary");
    let output = Command::new("sudo")
        .args(["-n", "-E", "env", &format!("PATH={path}")])
        .arg(this)
        .args(["--exact", test, "--nocapture"])
        .output()
        .expect("sudo runs");
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
    true
}

/// The command, where the folder is the journal's. Its socket has a fixed place below /run, so the command has a mount
/// namespace with a /run of its own, in which only Docker is the host's.
pub(crate) fn with_journal(folder: &Path, command: &Command) -> Command {
    const SCRIPT: &str = r#"
        mkdir "$0/host" && mount --rbind /run "$0/host" && mount -t tmpfs tmpfs /run &&
        mkdir -p /run/systemd/journal && mount --bind "$0" /run/systemd/journal &&
        ln -s "$0/host/docker.sock" /run/docker.sock && exec "$@""#;
    let mut wrapped = Command::new("unshare");
    if !is_root() {
        // Who may not mount may in a namespace of their own, where they are root.
        wrapped.arg("--map-root-user");
    }
    wrapped.args(["--mount", "sh", "-c", SCRIPT]).arg(folder);
    wrapped.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    wrapped
}

/// What `http://<address>:8080/` answers, as soon as it answers 200.
pub(crate) async fn answer(address: &str) -> String {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().expect("a client");
    let url = format!("http://{address}:8080/");
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Ok(response) = client.get(&url).send().await
            && response.status() == 200
        {
            return response.text().await.expect("a body");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{url} did not answer within {PATIENCE:?}");
}

/// Polls until `look` sees something.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    while began.elapsed() < PATIENCE {
        if let Some(seen) = look().await {
            return seen;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("not within {PATIENCE:?}: {what}");
}

/// A release archive, `web-v1/` with the app, a Dockerfile (when given) and more files.
pub(crate) fn archive(dockerfile: Option<&str>, more: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    let mut add = |name: &str, mode: u32, data: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        header.set_mode(mode);
        tar.append_data(&mut header, format!("web-v1/{name}"), data).expect("in memory");
    };
    if let Some(dockerfile) = dockerfile {
        add("Dockerfile", 0o644, dockerfile.as_bytes());
    }
    for (name, data) in more {
        add(name, 0o644, data);
    }
    add("app", 0o755, app());
    let mut gzip = tar.into_inner().expect("in memory");
    gzip.flush().expect("in memory");
    gzip.finish().expect("in memory")
}

/// The static binary, compiled once.
pub(crate) fn app() -> &'static [u8] {
    static APP: OnceLock<Vec<u8>> = OnceLock::new();
    APP.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let out = dir.path().join("app");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/real_docker/rig/app.rs");
        let rustc = Command::new("rustc")
            .args(["--edition", "2024", "-C", "target-feature=+crt-static", "-C", "strip=symbols", "-o"])
            .arg(&out)
            .arg(source)
            .output()
            .expect("rustc runs");
        assert!(rustc.status.success(), "{}", String::from_utf8_lossy(&rustc.stderr));
        std::fs::read(out).expect("the app")
    })
}

/// The most memory a process has had, in KiB.
pub(crate) fn peak_memory_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a process");
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).expect("VmHWM");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

pub(crate) fn run(program: &str, args: &[&str]) -> Output {
    Command::new(program).args(args).output().unwrap_or_else(|e| panic!("{program}: {e}"))
}

pub(crate) fn terminate(agent: &Agent) {
    let done = run("kill", &["-TERM", &agent.0.id().to_string()]);
    assert!(done.status.success());
}

pub(crate) fn lines(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}
