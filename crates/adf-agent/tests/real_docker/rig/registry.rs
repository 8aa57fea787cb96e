//! A real image registry (Debian's `docker-registry`) on a loopback address, which Docker takes without TLS.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::{app, eventually, lines, loopback, number, run};

/// `htpasswd -nbB ann hunter2`
const PASSWORDS: &str = "ann:$2y$05$RZ5eY5yJmIlnc4ZrwacUVuIJinDBpJUAnoVdm43CIsNU1YBjZTnfO\n";

/// A registry; ended when dropped, with the images that Docker has of it.
pub(crate) struct Registry {
    /// `127.x.y.z:5000`
    pub(crate) host: String,
    process: Child,
    dir: TempDir,
}

impl Registry {
    /// Open to everybody, or only to `ann` with `hunter2`.
    pub(crate) async fn start(closed: bool) -> Self {
        let host = host();
        let dir = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| dir.path().join(name);
        let auth = format!("auth: {{htpasswd: {{realm: adf, path: {}}}}}\n", at("passwords").display());
        let config = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{host}\"}}\n{}",
            at("data").display(),
            if closed { auth.as_str() } else { "" }
        );
        std::fs::write(at("passwords"), PASSWORDS).expect("written");
        std::fs::write(at("config.yml"), config).expect("written");
        let process = Command::new("docker-registry")
            .arg("serve")
            .arg(at("config.yml"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("these tests need docker-registry (apt-get install docker-registry)");
        let registry = Self { host, process, dir };
        let address = registry.host.parse().expect("an address");
        eventually("the registry answers", async || {
            TcpStream::connect_timeout(&address, Duration::from_secs(1)).ok()
        })
        .await;
        registry
    }

    /// Puts an image there that greets as the app does; `salt` makes it another one. Tells its digest.
    pub(crate) fn push(&self, tag: &str, salt: &str) -> String {
        let context = self.dir.path().join(format!("context-{salt}"));
        std::fs::create_dir_all(&context).expect("made");
        std::fs::write(context.join("app"), app()).expect("written");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(context.join("app"), mode).expect("executable");
        let dockerfile = format!("{}LABEL salt={salt}\n", super::DOCKERFILE);
        std::fs::write(context.join("Dockerfile"), dockerfile).expect("written");
        let name = format!("{}/{tag}", self.host);
        docker(&["build", "--quiet", "--tag", &name, &context.display().to_string()]);
        let config = self.dir.path().join("login").display().to_string();
        docker(&["--config", &config, "login", "--username", "ann", "--password", "hunter2", &self.host]);
        let pushed = docker(&["--config", &config, "push", &name]);
        let digest = pushed
            .iter()
            .find_map(|line| line.split_once("digest: ")?.1.split(' ').next())
            .expect("a digest");
        docker(&["rmi", "--force", &name]);
        digest.to_owned()
    }
}

/// An address on which a registry may be, or nobody.
pub(crate) fn host() -> String {
    format!("{}:5000", loopback(192 + number() % 32))
}

fn docker(args: &[&str]) -> Vec<String> {
    let output = run("docker", args);
    assert!(output.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    lines(&output)
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        for image in docker(&["images", "--quiet", "--filter", &format!("reference={}/*", self.host)]) {
            run("docker", &["rmi", "--force", &image]);
        }
    }
}
