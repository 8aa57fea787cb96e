//! What a machine with Docker shows: the image, the container, and what is left of both.

use std::time::Instant;

use adf_local::cloud::Cloud;
use adf_local::front::Front;
use adf_store::{Store, Tables};
use adf_types::{ConfigName, ImageSource, InstanceState, Receipt};
use jiff::Timestamp;
use wiremock::matchers::{method, path};
use wiremock::{Mock, ResponseTemplate};

use crate::rig::{DOCKERFILE, Rig, answer, archive, eventually, peak_memory_kib, run, terminate};

/// A boot that never ends by itself ends here.
const SHORT: &str = "boot_timeout = \"20s\"";

async fn receipt(store: &Store, what: &str, is: impl Fn(&Receipt) -> bool) -> Receipt {
    let app = "web".parse().expect("a name");
    eventually(what, async || store.receipts(&app).await.expect("the state table").into_iter().find(&is))
        .await
}

async fn set(store: &Store, value: &str) {
    let name: ConfigName = "FOO".parse().expect("a name");
    store.set_config(&"web".parse().expect("a name"), None, &[(name, value.to_owned())]).await.expect("set");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_built_runs_survives_its_agent_and_takes_new_config_at_the_next_start() {
    let rig = Rig::new().await;
    let cloud = Cloud::new("us-east-1", Timestamp::now());
    let front = Front::open(cloud.clone(), 0).await.expect("a free port");
    let store = Store::connect(&cloud.sdk_config(), Tables::default());
    store.create_tables().await.expect("created");
    set(&store, "world").await;
    let archive =
        archive(Some(DOCKERFILE), &[("adf.toml", b"[run]\nstop_grace = \"2s\"\ninterval = \"200ms\"\n")]);
    rig.serve("/web.tar.gz", &archive).await;
    rig.serve_role().await;
    let digest = adf_types::Digest::of_bytes(&archive);
    rig.told(&format!("APP=web\nRELEASE=v1\nRELEASE_DIGEST={digest}\n")).await;
    let settings = rig.settings("");

    let began = Instant::now();
    let first = rig.start(&settings, &front.url());
    assert_eq!(answer(&rig.address).await, "Hello world from v1");
    let cold = began.elapsed();
    let built = receipt(&store, "a serving receipt", |r| r.is_serving() && r.probes.passed > 3).await;
    assert_eq!(built.image_source, Some(ImageSource::Built));
    assert_eq!(built.release_digest, Some(digest));
    let peak = peak_memory_kib(first.0.id());
    let container = rig.containers(false);
    let state = run(
        "docker",
        &["inspect", "--format", "{{.HostConfig.Privileged}} {{.HostConfig.SecurityOpt}}", &container[0]],
    );
    assert_eq!(String::from_utf8_lossy(&state.stdout).trim(), "false [no-new-privileges:true]");

    let other = rig.command(&settings, &front.url()).output().expect("runs");
    assert_eq!(other.status.code(), Some(0), "a second agent is not a failure");
    assert!(String::from_utf8_lossy(&other.stderr).contains("E182 another adf-agent (pid "), "{other:?}");

    drop(first); // SIGKILL
    assert_eq!(answer(&rig.address).await, "Hello world from v1", "the app outlives its agent");
    let second = rig.start(&settings, &front.url());
    let adopted = receipt(&store, "an adopting receipt", |r| {
        r.is_serving() && r.image_source == Some(ImageSource::Present)
    })
    .await;
    assert_eq!((rig.containers(true), adopted.image_id), (container, built.image_id));

    set(&store, "reboot").await;
    terminate(&second);
    receipt(&store, "a stopped receipt", |r| r.state == InstanceState::Stopped).await;
    assert_eq!(rig.containers(false), Vec::<String>::new(), "SIGTERM stops the container");
    let began = Instant::now();
    let third = rig.start(&settings, &front.url());
    assert_eq!(answer(&rig.address).await, "Hello reboot from v1");
    let warm = began.elapsed();
    println!(
        "agent start to first answer: {cold:.2?} cold, {warm:.2?} warm; agent's peak memory during a build: {peak} KiB"
    );
    assert_eq!(rig.containers(true).len(), 1, "the old container was replaced");
    assert!(!rig.log().contains("world"), "a config value in the log");
    drop(third);
}

/// A boot of an archive that is no good: exit 78, this reason, and nothing left on Docker.
async fn refused(answer: ResponseTemplate, reason: &str) {
    let rig = Rig::new().await;
    Mock::given(method("GET")).and(path("/web.tar.gz")).respond_with(answer).mount(&rig.server).await;
    rig.told("").await;
    let (code, line) = rig.fails(&rig.settings(SHORT)).await;
    assert!(line.starts_with("adf-agent: failed in prepare: ") && line.contains(reason), "{line}");
    assert_eq!(code, Some(78));
    assert_eq!((rig.containers(true).len(), rig.images().len()), (0, 0));
}

fn body(bytes: impl Into<Vec<u8>>) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_bytes(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_is_not_there_is_refused() {
    refused(ResponseTemplate::new(404), "E132 the release was not found or may not be read (404 Not Found)")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_page_is_refused() {
    let page = ResponseTemplate::new(200).set_body_raw("<html>Sign in</html>", "text/html");
    refused(page, "E137 expected a gzip archive (.tar.gz), got an HTML page (text/html) (a login page?)")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_archive_is_refused() {
    let whole = archive(Some(DOCKERFILE), &[]);
    refused(body(&whole[..whole.len() / 2]), "E138 the archive is cut off after").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_zip_is_refused() {
    refused(body(*b"PK\x03\x04 this is a zip"), "E137 expected a gzip archive").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_without_a_dockerfile_is_refused_even_after_the_build_request_was_opened() {
    let reason = "E108 no Dockerfile at the top of the archive (looked for ./Dockerfile; the archive's root is web-v1/)";
    refused(body(archive(None, &[("adf.toml", b"")])), reason).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_08_a_dockerfile_that_fails_names_its_step() {
    let missing = "FROM scratch\nCOPY nothing-here /x\n";
    refused(body(archive(Some(missing), &[])), "E108 the Dockerfile failed at [1/1] COPY nothing-here /x")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_08_a_dockerfile_that_does_not_parse_is_refused() {
    refused(body(archive(Some("FROM scratch\nNONSENSE x\n"), &[])), "unknown instruction: NONSENSE").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_with_another_digest_is_never_an_image() {
    let rig = Rig::new().await;
    rig.serve("/web.tar.gz", &archive(Some(DOCKERFILE), &[("adf.toml", b"")])).await;
    rig.told(&format!("RELEASE_DIGEST=sha256:{}\n", "0".repeat(64))).await;
    let (code, line) = rig.fails(&rig.settings(SHORT)).await;
    assert!(line.contains("E140 release digest mismatch: want sha256:0000"), "{line}");
    assert_eq!((code, rig.images().len()), (Some(78), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_37_a_container_that_exits_at_once_is_given_up_with_its_last_line() {
    let rig = Rig::new().await;
    rig.serve(
        "/web.tar.gz",
        &archive(Some("FROM scratch\nCOPY app /app\nEXPOSE 8080\nENTRYPOINT [\"/app\", \"exit\"]\n"), &[]),
    )
    .await;
    rig.told("").await;
    let (code, line) = rig.fails(&rig.settings("")).await;
    assert!(
        line.starts_with("adf-agent: failed in health: E170 the container exited 7 three times in"),
        "{line}"
    );
    assert!(line.ends_with("last line: cannot open the database"), "{line}");
    assert_eq!((code, rig.containers(false).len()), (Some(78), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_38_an_app_that_never_becomes_healthy_is_given_up_with_what_it_answered() {
    let rig = Rig::new().await;
    let dockerfile = "FROM scratch\nCOPY app /app\nENTRYPOINT [\"/app\", \"sick\"]\n";
    let toml = b"[run]\nport = 8080\ngrace = \"2s\"\ninterval = \"200ms\"\nhealth = { type = \"http\", path = \"/healthz\" }\n";
    rig.serve("/web.tar.gz", &archive(Some(dockerfile), &[("adf.toml", toml)])).await;
    rig.told("").await;
    let (code, line) = rig.fails(&rig.settings("")).await;
    let expected =
        format!("adf-agent: failed in health: E171 http://{}:8080/healthz gave 503 on ", rig.address);
    assert!(line.starts_with(&expected), "{line}");
    assert_eq!((code, rig.containers(false).len()), (Some(78), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_39_a_port_in_use_names_the_address() {
    let rig = Rig::new().await;
    let held = std::net::TcpListener::bind((rig.address.as_str(), 8080)).expect("free");
    rig.serve("/web.tar.gz", &archive(Some(DOCKERFILE), &[])).await;
    rig.told("").await;
    let (code, line) = rig.fails(&rig.settings("")).await;
    assert!(
        line.starts_with(&format!("adf-agent: failed in start: E172 port {}:8080 is in use; ", rig.address)),
        "{line}"
    );
    assert_eq!((code, rig.containers(true).len()), (Some(78), 0));
    drop(held);
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_39_a_port_held_by_a_container_names_the_container() {
    let (holder, rig) = (Rig::new().await, Rig::new().await);
    let settings = |rig: &Rig| {
        let text = std::fs::read_to_string(rig.settings("")).expect("written");
        let shared = text.replace(&rig.address, &holder.address);
        std::fs::write(rig.dir.path().join("agent.toml"), shared).expect("written");
        rig.dir.path().join("agent.toml")
    };
    for rig in [&holder, &rig] {
        rig.serve("/web.tar.gz", &archive(Some(DOCKERFILE), &[])).await;
        rig.told("").await;
    }
    let first = holder.start(&settings(&holder), "http://127.0.0.1:9");
    answer(&holder.address).await;
    let (code, line) = rig.fails(&settings(&rig)).await;
    assert!(line.contains(&format!("is in use by container \"adf-app-{}\"", holder.instance)), "{line}");
    assert_eq!((code, holder.containers(false).len()), (Some(78), 1), "the other container was not touched");
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_01_a_docker_that_is_not_running_is_waited_for_and_then_named() {
    let rig = Rig::new().await;
    rig.told("").await;
    let mut command = rig.command(&rig.settings("boot_timeout = \"3s\""), "http://127.0.0.1:9");
    let output = command.env("DOCKER_HOST", "unix:///nonexistent/docker.sock").output().expect("runs");
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().last().unwrap_or_default();
    assert!(line.contains("E190 the boot did not finish within its 3 s"), "{line}");
    assert!(line.contains("E101 Docker is not answering on unix:///nonexistent/docker.sock"), "{line}");
    assert!(line.ends_with("check: systemctl status docker"), "{line}");
    assert_eq!(output.status.code(), Some(78));
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_39_a_name_that_somebody_elses_container_has_is_told_and_that_container_is_left_alone() {
    let rig = Rig::new().await;
    rig.serve("/web.tar.gz", &archive(Some(DOCKERFILE), &[])).await;
    rig.told("").await;
    // The image has no container yet, so it is made here: a boot that fails at its port leaves it behind.
    let held = std::net::TcpListener::bind((rig.address.as_str(), 8080)).expect("free");
    rig.fails(&rig.settings("")).await;
    drop(held);
    let (name, image) = (format!("adf-app-{}", rig.instance), rig.images().pop().expect("an image"));
    let mine = run("docker", &["create", "--name", &name, "--label", "adf.instance=", &image]);
    let id = String::from_utf8_lossy(&mine.stdout).trim().to_owned();
    let (code, line) = rig.fails(&rig.settings("")).await;
    let found = run("docker", &["ps", "--all", "--quiet", "--no-trunc", "--filter", &format!("id={id}")]);
    run("docker", &["rm", "--force", &id]);
    assert!(
        line.contains(&format!(
            "E172 the container name \"{name}\" is taken by a container that is not this instance's"
        )),
        "{line}"
    );
    assert_eq!((code, String::from_utf8_lossy(&found.stdout).trim()), (Some(78), id.as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_archive_streams_through_a_small_agent() {
    let rig = Rig::new().await;
    let mut noise = vec![0_u8; 96 << 20];
    let mut state = 1_u32;
    for byte in &mut noise {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte = state.to_be_bytes()[0];
    }
    rig.serve("/web.tar.gz", &archive(Some(DOCKERFILE), &[("adf.toml", b""), ("data", &noise)])).await;
    rig.told("").await;
    let agent = rig.start(&rig.settings(""), "http://127.0.0.1:9");
    answer(&rig.address).await;
    let peak = peak_memory_kib(agent.0.id());
    println!("agent's peak memory with an archive of 96 MiB: {peak} KiB");
    assert!(peak < 64 * 1024, "{peak} KiB");
}
