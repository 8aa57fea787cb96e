//! The runner with a scripted agent and the real Docker Engine: machines start, restart, reboot and end as EC2's do.

mod common;

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use adf_local::cloud::Cloud;
use adf_local::model::InstanceState;
use adf_local::model::templates::LaunchData;
use adf_local::runner::{Docker, Runner, RunnerSettings};
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{CreateContainerOptions, CreateImageOptionsBuilder, InspectContainerOptions};
use common::{Network, address, eventually, launch};
use tempfile::TempDir;

/// An agent that tells what it was given, ends as the file `end` says, and otherwise stays until SIGTERM.
const AGENT: &str = r#"#!/bin/sh
echo "agent $*"
env | sort > env.txt
echo run >> state/runs
trap 'echo "got SIGTERM"; exit 0' TERM
[ -f end ] && { code=$(head -n1 end); sed -i 1d end; [ -s end ] || rm -f end; exit "$code"; }
while :; do sleep 0.05; done
"#;

struct Site {
    cloud: Cloud,
    runner: Runner,
    dir: TempDir,
    prefix: String,
    network: Network,
}

impl Site {
    async fn open() -> Self {
        let network = Network::claim();
        let dir = tempfile::tempdir().expect("a directory");
        let agent = dir.path().join("agent");
        std::fs::write(&agent, AGENT).expect("written");
        std::fs::set_permissions(&agent, std::fs::Permissions::from_mode(0o755)).expect("executable");
        let cloud = network.cloud();
        let prefix = format!("adf-local-test-{}", network.base.octets()[1]);
        let settings = RunnerSettings {
            agent,
            launcher: env!("CARGO_BIN_EXE_adf-local").into(),
            dir: dir.path().to_owned(),
            endpoint: "http://127.0.0.1:1".to_owned(),
            image_prefix: prefix.clone(),
        };
        let docker = Docker::connect().await.expect("Docker runs");
        let runner = Runner::new(cloud.clone(), docker, settings).await.expect("a clean start");
        Self { cloud, runner, dir, prefix, network }
    }

    fn launch(&self) -> String {
        launch(&self.cloud, 1, LaunchData::default()).remove(0)
    }

    fn file(&self, id: &str, name: &str) -> PathBuf {
        self.dir.path().join("instances").join(id).join(name)
    }

    fn read(&self, id: &str, name: &str) -> String {
        std::fs::read_to_string(self.file(id, name)).unwrap_or_default()
    }

    fn runs(&self, id: &str) -> usize {
        self.read(id, "state/runs").lines().count()
    }

    fn console(&self, id: &str) -> String {
        self.cloud.model(|model, _| model.console_output(id).expect("it exists").0.to_owned())
    }

    fn state(&self, id: &str) -> InstanceState {
        self.cloud.model(|model, _| model.instance(id).expect("it is still shown").state)
    }

    /// Reconciles until `holds`.
    async fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        eventually(what, async || {
            self.runner.reconcile().await;
            holds(self)
        })
        .await;
    }

    fn terminate(&self, id: &str) {
        let ids = [id.to_owned()];
        self.cloud.model(|model, now| model.terminate_instances(&ids, now)).expect("it exists");
    }
}

#[tokio::test]
async fn an_instance_is_an_agent_with_its_own_settings_and_no_keys() {
    let mut site = Site::open().await;
    let id = site.launch();
    site.until("the agent runs", |site| site.runs(&id) == 1 && site.console(&id).contains("agent run")).await;

    let config = site.file(&id, "agent.toml").display().to_string();
    assert_eq!(site.console(&id), format!("agent run --config {config}\n"));
    let mut toml: toml::Table = site.read(&id, "agent.toml").parse().expect("TOML");
    let (ip, prefix) = (address(&site.cloud, &id).to_string(), site.prefix.clone());
    assert_eq!(toml.remove("block_imds"), Some(toml::Value::Boolean(false)));
    let folder = |name| site.file(&id, name).display().to_string();
    let expected = [
        ("bind", ip.clone()),
        ("image_prefix", prefix),
        ("run_dir", folder("run")),
        ("state_dir", folder("state")),
    ];
    let found: Vec<_> =
        toml.iter().map(|(key, value)| (key.as_str(), value.as_str().expect("text").to_owned())).collect();
    assert_eq!(found, expected);

    let env = site.read(&id, "env.txt");
    assert!(env.contains(&format!("AWS_EC2_METADATA_SERVICE_ENDPOINT=http://{ip}:1338\n")), "{env}");
    assert!(env.contains("AWS_ENDPOINT_URL=http://127.0.0.1:1\n"), "{env}");
    assert!(!env.contains("CARGO") && !env.contains("AWS_ACCESS_KEY_ID"), "more than it needs: {env}");
    site.runner.stop().await.expect("all ended");
}

#[tokio::test]
async fn termination_is_sigterm_and_then_the_instance_is_terminated() {
    let mut site = Site::open().await;
    let id = site.launch();
    site.until("the agent runs", |site| site.runs(&id) == 1).await;
    site.terminate(&id);
    assert_eq!(site.state(&id), InstanceState::ShuttingDown);
    site.until("it is terminated", |site| site.state(&id) == InstanceState::Terminated).await;
    assert!(site.console(&id).ends_with("got SIGTERM\n"), "{}", site.console(&id));
    assert_eq!(site.runs(&id), 1);
}

#[tokio::test]
async fn a_failed_agent_is_restarted_and_a_permanent_failure_is_not() {
    let mut site = Site::open().await;
    let id = site.launch();
    std::fs::create_dir_all(site.file(&id, "")).expect("its directory");
    std::fs::write(site.file(&id, "end"), "1\n78\n").expect("written");
    site.until("it stays down", |site| site.console(&id).contains("it stays down")).await;
    assert!(site.console(&id).contains("(exit status: 1); it is restarted"), "{}", site.console(&id));
    assert!(site.console(&id).contains("(exit status: 78); it stays down"), "{}", site.console(&id));
    assert_eq!((site.runs(&id), site.state(&id)), (2, InstanceState::Running));
    site.terminate(&id);
    site.until("it is terminated", |site| site.state(&id) == InstanceState::Terminated).await;
    assert_eq!(site.runs(&id), 2);
}

#[tokio::test]
async fn a_reboot_ends_the_agent_and_starts_it_on_the_same_disk() {
    let mut site = Site::open().await;
    let id = site.launch();
    site.until("the agent runs", |site| site.runs(&id) == 1).await;
    std::fs::write(site.file(&id, "state/kept"), "kept").expect("written");
    let ids = [id.clone()];
    site.cloud.model(|model, _| model.reboot_instances(&ids)).expect("it exists");
    site.until("the agent runs again", |site| site.runs(&id) == 2).await;
    assert!(site.console(&id).contains("got SIGTERM\nadf-local: reboot\nagent run"), "{}", site.console(&id));
    assert_eq!(site.read(&id, "state/kept"), "kept");
    site.runner.stop().await.expect("all ended");
}

#[tokio::test]
async fn nothing_of_an_instance_is_left_in_docker() {
    let mut site = Site::open().await;
    let id = site.launch();
    site.until("the agent runs", |site| site.runs(&id) == 1).await;
    let docker = bollard::Docker::connect_with_defaults().expect("a socket");
    let image = format!("{}/web:v1-abc", site.prefix);
    make_image(&docker, &image).await;
    let of_instance = make_container(&docker, &image, &id).await;
    let stranger = make_container(&docker, &image, "i-another").await;

    site.terminate(&id);
    site.until("it is terminated", |site| site.state(&id) == InstanceState::Terminated).await;
    assert!(!exists(&docker, &of_instance).await, "the container of a terminated instance is still there");
    assert!(exists(&docker, &stranger).await, "another instance's container was removed");

    site.runner.stop().await.expect("all ended");
    assert!(!exists(&docker, &stranger).await, "a container of an image of ours is still there");
    assert!(docker.inspect_image(&image).await.is_err(), "an image of ours is still there");
    drop(site.network);
}

/// An image of one small file, made from nothing.
async fn make_image(docker: &bollard::Docker, name: &str) {
    use futures_util::TryStreamExt as _;
    let (repository, tag) = name.split_once(':').expect("a tag");
    let options = CreateImageOptionsBuilder::new().from_src("-").repo(repository).tag(tag).build();
    let archive = bytes::Bytes::from(vec![0; 1024]);
    let body = bollard::body_full(archive);
    docker.create_image(Some(options), Some(body), None).try_collect::<Vec<_>>().await.expect("imported");
}

async fn make_container(docker: &bollard::Docker, image: &str, instance: &str) -> String {
    let body = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(vec!["/none".to_owned()]),
        labels: Some([("adf.instance".to_owned(), instance.to_owned())].into()),
        ..ContainerCreateBody::default()
    };
    docker.create_container(None::<CreateContainerOptions>, body).await.expect("created").id
}

async fn exists(docker: &bollard::Docker, container: &str) -> bool {
    docker.inspect_container(container, None::<InspectContainerOptions>).await.is_ok()
}
