//! Builds by the host's own Docker: BuildKit's mounts and secrets, both builders' words for what goes wrong, a warm
//! cache, and Docker in trouble.

use adf_local::cloud::Cloud;
use adf_local::front::Front;
use adf_store::{Store, Tables};
use adf_types::{Builder, ConfigName, Receipt};
use jiff::Timestamp;
use wiremock::matchers::{method, path_regex};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::rig::{Agent, Proxy, Registry, Rig, Trouble, answer, archive, eventually, run, terminate};

const SECRET: &str = "s3cr3t-of-a-build";

/// The tables of an AWS of the test's own.
struct Site {
    store: Store,
    front: Front,
}

impl Site {
    async fn open(rig: &Rig) -> Self {
        let cloud = Cloud::new("us-east-1", Timestamp::now());
        let front = Front::open(cloud.clone(), 0).await.expect("a free port");
        let store = Store::connect(&cloud.sdk_config(), Tables::default());
        store.create_tables().await.expect("created");
        rig.serve_role().await;
        Self { store, front }
    }

    async fn set(&self, name: &str, value: &str) {
        let name: ConfigName = name.parse().expect("a name");
        let app = "web".parse().expect("a name");
        self.store.set_config(&app, None, &[(name, value.to_owned())]).await.expect("set");
    }

    async fn serving(&self) -> Receipt {
        let app = "web".parse().expect("a name");
        let serving = async || {
            self.store.receipts(&app).await.expect("the state table").into_iter().find(Receipt::is_serving)
        };
        eventually("a serving receipt", serving).await
    }
}

/// What `docker` prints.
fn docker(args: &[&str]) -> String {
    let output = run("docker", args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn release(rig: &Rig, dockerfile: &str, toml: &str) {
    rig.serve("/web.tar.gz", &archive(Some(dockerfile), &[("adf.toml", toml.as_bytes())])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buildkit_gives_run_its_secrets_and_caches_and_neither_stays_in_the_image() {
    let rig = Rig::new().await;
    let site = Site::open(&rig).await;
    site.set("NPM_TOKEN", SECRET).await;
    let cache = format!("{}-cache", rig.prefix);
    let dockerfile = format!(
        "FROM scratch\nCOPY app /app\n\
         RUN --mount=type=secret,id=NPM_TOKEN,required=true [\"/app\", \"size\", \"/run/secrets/NPM_TOKEN\", \"{cache}\"]\n\
         RUN --mount=type=cache,id={cache},target=/cache [\"/app\", \"count\", \"/cache/n\"]\n\
         EXPOSE 8080\nENTRYPOINT [\"/app\", \"serve\"]\n"
    );
    release(&rig, &dockerfile, "[build]\nsecrets = [\"NPM_TOKEN\"]\n").await;
    rig.told("APP=web\nRELEASE=v1\n").await;
    let agent = rig.start(&rig.settings(""), &site.front.url());
    answer(&rig.address).await;
    assert_eq!(site.serving().await.image_builder, Some(Builder::BuildKit));
    let log = rig.log();
    assert!(log.contains(&format!("/run/secrets/NPM_TOKEN has {} bytes", SECRET.len())), "{log}");
    assert!(log.contains("this is build 1"), "{log}");
    let image = rig.images().pop().expect("an image");
    for seen in [log, docker(&["history", "--no-trunc", &image]), docker(&["inspect", &image])] {
        assert!(!seen.contains(SECRET), "{seen}");
    }
    drop(agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_secret_that_config_lacks_ends_the_boot_before_the_build() {
    let rig = Rig::new().await;
    let site = Site::open(&rig).await;
    site.set("FOO", "1").await;
    release(&rig, "FROM scratch\nCOPY app /app\n", "[build]\nsecrets = [\"NPM_TOKEN\"]\n").await;
    rig.told("APP=web\nRELEASE=v1\n").await;
    let output = rig.command(&rig.settings(""), &site.front.url()).output().expect("runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains("E152 config lacks NPM_TOKEN, which the release's adf.toml lists in [build] secrets"),
        "{text}"
    );
    assert_eq!((output.status.code(), rig.images().len()), (Some(78), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn target_arguments_and_platform_reach_the_build() {
    let rig = Rig::new().await;
    let dockerfile = "FROM scratch AS base\nARG WORD\nARG TARGETPLATFORM\nCOPY app /app\n\
        RUN [\"/app\", \"say\", \"platform-is-$TARGETPLATFORM\"]\nLABEL word=$WORD platform=$TARGETPLATFORM\n\
        FROM base AS final\nEXPOSE 8080\nENTRYPOINT [\"/app\", \"serve\"]\n\
        FROM base AS other\nRUN [\"/app\", \"fail\", \"9\", \"the wrong stage\"]\n";
    release(
        &rig,
        dockerfile,
        "[build]\ntarget = \"final\"\nargs = { WORD = \"given\" }\nplatform = \"linux/amd64\"\n",
    )
    .await;
    rig.told("").await;
    let agent = rig.start(&rig.settings(""), "http://127.0.0.1:9");
    answer(&rig.address).await;
    let image = rig.images().pop().expect("an image");
    let labels =
        docker(&["inspect", "--format", "{{.Config.Labels.word}} {{.Config.Labels.platform}}", &image]);
    assert_eq!(labels.trim(), "given linux/amd64");
    drop(agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_release_that_changes_the_last_layer_finds_the_first_ones_in_the_cache() {
    let (first, second) = (Rig::new().await, Rig::new().await);
    // The same layers up to the last one; their own word keeps other tests' caches apart.
    let dockerfile = format!(
        "FROM scratch\nCOPY app /app\nRUN [\"/app\", \"say\", \"slow step of {}\"]\nCOPY page /page\n\
         EXPOSE 8080\nENTRYPOINT [\"/app\", \"serve\"]\n",
        first.prefix
    );
    for (rig, page) in [(&first, b"one"), (&second, b"two")] {
        rig.serve("/web.tar.gz", &archive(Some(&dockerfile), &[("adf.toml", b""), ("page", page)])).await;
        rig.told("").await;
        let agent = rig.start(&rig.settings(""), "http://127.0.0.1:9");
        answer(&rig.address).await;
        drop(agent);
    }
    let step = |rig: &Rig, what: &str| {
        rig.log().lines().filter(|line| line.contains(what)).map(str::to_owned).collect::<Vec<_>>()
    };
    let slow = format!("slow step of {}", first.prefix);
    assert!(!step(&first, &slow).iter().any(|line| line.contains("CACHED")), "the first build does the work");
    let warm = step(&second, &slow);
    assert!(warm.iter().any(|line| line.contains("CACHED [2/3] RUN")), "{warm:#?}");
    let last = step(&second, "COPY page");
    assert!(!last.is_empty() && !last.iter().any(|line| line.contains("CACHED")), "{last:#?}");
}

/// A boot whose build fails: this reason, exit 78, nothing left behind.
async fn refused(dockerfile: &str, reason: &str) -> Rig {
    let rig = Rig::new().await;
    release(&rig, dockerfile, "").await;
    rig.told("").await;
    let (code, line) = rig.fails(&rig.settings("boot_timeout = \"25s\"")).await;
    assert!(line.starts_with("adf-agent: failed in prepare: ") && line.contains(reason), "{line}");
    assert_eq!((code, rig.containers(true).len(), rig.images().len()), (Some(78), 0, 0));
    rig
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_07_a_killed_step_is_built_once_more_and_named() {
    let dockerfile = "FROM scratch\nCOPY app /app\nRUN [\"/app\", \"fail\", \"137\", \"going down\"]\n";
    let rig =
        refused(dockerfile, "E107 the build ran out of memory at [2/2] RUN [\"/app\", \"fail\", \"137\"")
            .await;
    drop(rig);
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_06_a_step_that_finds_no_space_is_told_with_the_disks_numbers() {
    let dockerfile = "FROM scratch\nCOPY app /app\nRUN [\"/app\", \"fail\", \"1\", \"write error: No space left on device\"]\n";
    // It must not empty the cache of a Docker that others use: the retry that would comes after the boot's end.
    let rig = Rig::new().await;
    release(&rig, dockerfile, "").await;
    rig.told("").await;
    let proxy = Proxy::open(rig.dir.path(), Trouble::NoPruning);
    let mut command = rig.command(&rig.settings(""), "http://127.0.0.1:9");
    let output = command.env("DOCKER_HOST", proxy.docker_host()).output().expect("runs");
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().last().unwrap_or_default();
    assert!(line.contains("E106 the disk is full at [2/2] RUN"), "{text}");
    assert!(line.contains("/var/lib/docker has ") && line.contains("an image needs 2.0 GiB"), "{line}");
    assert_eq!((output.status.code(), proxy.builds()), (Some(78), 2));
}

/// A registry on loopback that answers every question for a manifest like this.
async fn registry(answer: ResponseTemplate) -> (MockServer, String) {
    let server = MockServer::start().await;
    Mock::given(path_regex("^/v2/$")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    for verb in ["GET", "HEAD"] {
        let mock = Mock::given(method(verb)).and(path_regex("^/v2/.+/manifests/"));
        mock.respond_with(answer.clone()).mount(&server).await;
    }
    let image = format!("{}/team/base:1", server.address());
    (server, image)
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_09_a_registry_that_limits_is_named_and_not_hammered() {
    let body =
        r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}"#;
    let (server, image) = registry(ResponseTemplate::new(429).set_body_raw(body, "application/json")).await;
    let reason = format!("E109 the registry's rate limit for {image} is reached");
    // The first wait of 30 s is longer than this boot: it ends at once and says so.
    let rig = refused(&format!("FROM {image}\nCOPY app /app\n"), &reason).await;
    assert!(rig.dir.path().exists());
    let asked = server.received_requests().await.expect("recorded").len();
    assert!(asked <= 20, "{asked} requests for one build; the tries of Docker itself are six");
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_10_a_base_image_that_is_missing_or_denied_is_named() {
    for (status, answer) in [
        (404, r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#),
        (403, r#"{"errors":[{"code":"DENIED","message":"denied"}]}"#),
        (401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#),
    ] {
        let answer = ResponseTemplate::new(status)
            .insert_header("WWW-Authenticate", "Basic realm=\"team\"")
            .set_body_raw(answer, "application/json");
        let (_server, image) = registry(answer).await;
        let reason = format!("E110 base image {image} was not found or may not be read");
        refused(&format!("FROM {image}\nCOPY app /app\n"), &reason).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_base_image_is_pulled_with_the_login_of_its_registry() {
    let registry = Registry::start(true).await;
    registry.push("base:1", "base");
    let dockerfile = format!("FROM {}/base:1\nLABEL built=here\n", registry.host);
    for password in ["hunter2", "wrong-password"] {
        let rig = Rig::new().await;
        let site = Site::open(&rig).await;
        let auth = format!(r#"{{"{}": {{"username": "ann", "password": "{password}"}}}}"#, registry.host);
        site.set("ADF_REGISTRY_AUTH", &auth).await;
        release(&rig, &dockerfile, "").await;
        rig.told("APP=web\nRELEASE=v1\n").await;
        let settings = rig.settings("");
        if password == "hunter2" {
            let agent = rig.start(&settings, &site.front.url());
            answer(&rig.address).await;
            assert!(!rig.log().contains(password), "{}", rig.log());
            drop(agent);
        } else {
            let output = rig.command(&settings, &site.front.url()).output().expect("runs");
            let text = String::from_utf8_lossy(&output.stderr);
            let line = text.lines().last().unwrap_or_default();
            assert!(line.contains(&format!("E110 base image {}/base:1", registry.host)), "{line}");
            assert!(!text.contains(password), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_down_is_told_apart_from_a_bad_dockerfile() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").expect("free").local_addr().expect("bound");
    let rig = Rig::new().await;
    release(&rig, &format!("FROM {nobody}/team/base:1\nCOPY app /app\n"), "").await;
    rig.told("").await;
    let (code, line) = rig.fails(&rig.settings("boot_timeout = \"5s\"")).await;
    assert!(line.contains("E190 the boot did not finish within its 5 s"), "{line}");
    assert!(
        line.contains(&format!("E111 the registry of {nobody}/team/base:1 did not answer as it should")),
        "{line}"
    );
    assert_eq!(code, Some(78));
}

/// A serving agent whose Docker is in trouble.
async fn in_trouble(rig: &Rig, trouble: Trouble, dockerfile: &str) -> (Proxy, Agent, Receipt) {
    let site = Site::open(rig).await;
    site.set("FOO", "world").await;
    release(rig, dockerfile, "").await;
    rig.told("APP=web\nRELEASE=v1\n").await;
    let proxy = Proxy::open(rig.dir.path(), trouble);
    let mut command = rig.command(&rig.settings(""), &site.front.url());
    let log = std::fs::File::create(rig.log_path()).expect("a log file");
    let child =
        command.env("DOCKER_HOST", proxy.docker_host()).stderr(log).spawn().expect("the agent starts");
    let agent = Agent(child);
    answer(&rig.address).await;
    let receipt = site.serving().await;
    (proxy, agent, receipt)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_docker_without_buildkit_builds_with_the_classic_builder_and_the_receipt_says_so() {
    let rig = Rig::new().await;
    let (proxy, agent, receipt) = in_trouble(&rig, Trouble::NoSessions, crate::rig::DOCKERFILE).await;
    assert_eq!((receipt.image_builder, proxy.builds()), (Some(Builder::Classic), 1));
    let log = rig.log();
    assert!(log.contains("E104 BuildKit did not answer: POST /session answered 404 Not Found"), "{log}");
    assert!(log.contains("Step 1/9 : FROM scratch"), "{log}");
    drop(agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_04_sessions_that_break_off_are_named_and_a_secret_never_goes_to_the_classic_builder() {
    let rig = Rig::new().await;
    let site = Site::open(&rig).await;
    site.set("NPM_TOKEN", SECRET).await;
    // A word of its own in the step, or it could be found in the cache, and nobody would ask for the secret.
    let dockerfile = format!(
        "FROM scratch\nCOPY app /app\n\
         RUN --mount=type=secret,id=NPM_TOKEN,required=true [\"/app\", \"size\", \"/run/secrets/NPM_TOKEN\", \"{}\"]\n",
        rig.prefix
    );
    release(&rig, &dockerfile, "[build]\nsecrets = [\"NPM_TOKEN\"]\n").await;
    rig.told("APP=web\nRELEASE=v1\n").await;
    let proxy = Proxy::open(rig.dir.path(), Trouble::LostSessions);
    let mut command = rig.command(&rig.settings(""), &site.front.url());
    let output = command.env("DOCKER_HOST", proxy.docker_host()).output().expect("runs");
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().last().unwrap_or_default();
    assert!(line.contains("E104 BuildKit lost the build's session (not a registry fault)"), "{text}");
    assert!(
        line.contains("the classic builder cannot take its place: the Dockerfile uses build secrets"),
        "{line}"
    );
    assert_eq!((output.status.code(), proxy.builds(), text.contains(SECRET)), (Some(78), 3, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_02_a_build_whose_connection_breaks_is_built_again_from_the_start() {
    let rig = Rig::new().await;
    let (proxy, agent, receipt) = in_trouble(&rig, Trouble::LostBuilds(2), crate::rig::DOCKERFILE).await;
    assert_eq!((receipt.image_builder, proxy.builds()), (Some(Builder::BuildKit), 3));
    let log = rig.log();
    assert!(
        log.contains("E102 the connection to Docker was lost during the build") && log.contains("retry 2/3"),
        "{log}"
    );
    assert_eq!(rig.images().len(), 1, "one image, no half tag");
    drop(agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_08_a_dockerfile_that_runs_into_an_error_keeps_its_last_lines() {
    let dockerfile = "FROM scratch\nCOPY app /app\nRUN [\"/app\", \"fail\", \"3\", \"cc: not found\"]\n";
    let rig = Rig::new().await;
    release(&rig, dockerfile, "").await;
    rig.told("").await;
    let output = rig.command(&rig.settings(""), "http://127.0.0.1:9").output().expect("runs");
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().last().unwrap_or_default();
    assert!(line.contains("E108 the Dockerfile failed at [2/2] RUN [\"/app\", \"fail\", \"3\""), "{line}");
    assert!(text.contains("| cc: not found"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_05_a_build_that_is_given_up_ends_in_docker_too() {
    let rig = Rig::new().await;
    // No other process on this machine sleeps exactly so long.
    let seconds = format!("{}", 1_000_000 + std::process::id());
    let dockerfile = format!("FROM scratch\nCOPY app /app\nRUN [\"/app\", \"sleep\", \"{seconds}\"]\n");
    release(&rig, &dockerfile, "").await;
    rig.told("").await;
    let sleeps = || {
        let all = std::fs::read_dir("/proc").expect("proc").flatten();
        let command = format!("/app\0sleep\0{seconds}\0");
        all.map(|process| std::fs::read(process.path().join("cmdline")).unwrap_or_default())
            .any(|line| line == command.as_bytes())
    };
    let agent = rig.start(&rig.settings(""), "http://127.0.0.1:9");
    eventually("the step runs", async || sleeps().then_some(())).await;
    terminate(&agent);
    eventually("the step has ended", async || (!sleeps()).then_some(())).await;
    assert_eq!(rig.images().len(), 0, "no half tag");
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_06_images_of_older_releases_are_removed_once_the_new_one_serves() {
    let mut rigs = [Rig::new().await, Rig::new().await, Rig::new().await];
    let prefix = rigs[0].prefix.clone();
    let pattern = format!("reference={prefix}/*");
    let images = |release: usize| {
        let label = format!("label=release={release}");
        let ids = docker(&["images", "--quiet", "--filter", &label, "--filter", &pattern]);
        ids.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let time = |id: &str, format: &str| -> Option<jiff::Timestamp> {
        docker(&["inspect", "--format", format, id]).trim().trim_matches('"').parse().ok()
    };
    // All of them are created in the same second, as far as Docker tells: their steps come from the cache.
    for (n, rig) in rigs.iter_mut().enumerate() {
        rig.prefix.clone_from(&prefix);
        release(rig, &format!("{}LABEL release={n}\n", crate::rig::DOCKERFILE), "").await;
        rig.told("").await;
        let agent = rig.start(&rig.settings("keep_images = 2"), "http://127.0.0.1:9");
        // A build sets the tag as well; what says that it served comes after the container's start.
        let served = async || {
            let [container] = rig.containers(false).try_into().ok()?;
            let [image] = images(n).try_into().ok()?;
            (time(&image, "{{json .Metadata.LastTagTime}}")? > time(&container, "{{json .State.StartedAt}}")?)
                .then_some(())
        };
        eventually("the image has served", served).await;
        let settled = async || (rig.images().len() == (n + 1).min(2)).then_some(());
        eventually("as many images as are kept", settled).await;
        drop(agent);
        for container in rig.containers(true) {
            docker(&["rm", "--force", &container]);
        }
    }
    let kept: Vec<_> = (0..3).map(|release| images(release).len()).collect();
    assert_eq!(kept, [0, 1, 1]);
}
