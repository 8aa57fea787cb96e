//! Images that move through a real registry: pushed by the first instance, pulled by the next, refused, moved, missing.

use adf_local::cloud::Cloud;
use adf_local::front::Front;
use adf_store::{Store, Tables};
use adf_types::{ConfigName, ImageSource, Receipt, ReleaseImage};
use jiff::Timestamp;

use crate::rig::{DOCKERFILE, Registry, Rig, answer, archive, eventually, host, run, terminate};

/// Tables for the app `web`, whose config greets the `world`.
struct Fleet {
    store: Store,
    front: Front,
}

impl Fleet {
    async fn new() -> Self {
        let cloud = Cloud::new("us-east-1", Timestamp::now());
        let front = Front::open(cloud.clone(), 0).await.expect("a free port");
        let store = Store::connect(&cloud.sdk_config(), Tables::default());
        store.create_tables().await.expect("created");
        let tables = Self { store, front };
        tables.set("FOO", "world").await;
        tables
    }

    async fn set(&self, name: &str, value: &str) {
        let name: ConfigName = name.parse().expect("a name");
        let app = "web".parse().expect("a name");
        self.store.set_config(&app, None, &[(name, value.to_owned())]).await.expect("set");
    }

    async fn image(&self) -> Option<ReleaseImage> {
        let (app, release) = ("web".parse().expect("a name"), "v1".parse().expect("a name"));
        self.store.release_image(&app, &release).await.expect("the state table")
    }

    /// The receipt of the rig's instance once it serves.
    async fn serving(&self, rig: &Rig) -> Receipt {
        let app = "web".parse().expect("a name");
        eventually("a serving receipt", async || {
            let all = self.store.receipts(&app).await.expect("the state table");
            all.into_iter().find(|r| r.instance.as_str() == rig.instance && r.is_serving())
        })
        .await
    }
}

/// User data of `web` `v1` from `url`.
async fn told(rig: &Rig, url: &str) {
    let text = format!("APP=web\nRELEASE=v1\nRELEASE_URL=\"{url}\"\n");
    rig.serve("/latest/user-data", text.as_bytes()).await;
    rig.serve_role().await;
}

fn is_here(image: &str) -> bool {
    run("docker", &["image", "inspect", image]).status.success()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_first_instance_built_the_next_one_pulls_by_digest() {
    let (tables, registry) = (Fleet::new().await, Registry::start(false).await);
    let (first, next) = (Rig::new().await, Rig::new().await);
    let repository = format!("image_repository = \"{}/web\"", registry.host);
    let url = format!("{}/web.tar.gz", first.server.uri());
    first.serve("/web.tar.gz", &archive(Some(DOCKERFILE), &[])).await;
    told(&first, &url).await;
    let agent = first.start(&first.settings(&repository), &tables.front.url());
    assert_eq!(answer(&first.address).await, "Hello world from v1");
    let built = tables.serving(&first).await;
    assert_eq!(built.image_source, Some(ImageSource::Built));
    let recorded = eventually("the pushed image is recorded", async || tables.image().await).await;
    assert_eq!(recorded.pushed_by.as_str(), first.instance);
    assert!(recorded.image.digest().is_some(), "{}", recorded.image);

    terminate(&agent);
    eventually("the container is gone", async || first.containers(false).is_empty().then_some(())).await;
    first.containers(true).iter().for_each(|container| drop(run("docker", &["rm", "--force", container])));
    let id = built.image_id.expect("an image");
    run("docker", &["rmi", "--force", &id]);
    assert!(!is_here(&id), "the next instance has a Docker of its own; here it must be emptied");
    let tag = recorded.image.to_string();
    let tag = tag.split('@').next().and_then(|name| name.strip_prefix(&format!("{}/", registry.host)));
    registry.push(tag.expect("a tag"), "moved");

    told(&next, &url).await;
    let agent = next.start(&next.settings(&repository), &tables.front.url());
    assert_eq!(answer(&next.address).await, "Hello world from v1");
    let pulled = tables.serving(&next).await;
    assert_eq!((pulled.image_source, pulled.image_fallback), (Some(ImageSource::Pulled), None));
    assert_eq!(pulled.image_id, Some(id), "the same bits, although the tag was moved meanwhile");
    let asked = first.server.received_requests().await.unwrap_or_default();
    assert_eq!(
        asked.iter().filter(|r| r.url.path() == "/web.tar.gz").count(),
        1,
        "only the first one fetched"
    );
    drop(agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_registry_the_next_instance_builds_and_says_so() {
    let (tables, rig) = (Fleet::new().await, Rig::new().await);
    let nobody = host();
    let repository = format!("{nobody}/web");
    let image = ReleaseImage {
        image: format!("{repository}@sha256:{}", "0".repeat(64)).parse().expect("an image"),
        pushed_by: "i-0canary".parse().expect("an id"),
        pushed_at: Timestamp::now(),
    };
    let (app, release) = ("web".parse().expect("a name"), "v1".parse().expect("a name"));
    tables.store.put_release_image(&app, &release, &image).await.expect("recorded");
    rig.serve("/web.tar.gz", &archive(Some(DOCKERFILE), &[])).await;
    told(&rig, &format!("{}/web.tar.gz", rig.server.uri())).await;
    let settings = rig.settings(&format!("image_repository = \"{repository}\""));
    let agent = rig.start(&settings, &tables.front.url());
    assert_eq!(answer(&rig.address).await, "Hello world from v1");
    let receipt = tables.serving(&rig).await;
    assert_eq!(receipt.image_source, Some(ImageSource::Built));
    let because = receipt.image_fallback.expect("a reason");
    assert!(
        because.starts_with(&format!("E111 registry {nobody} did not answer for {repository}@sha256:0")),
        "{because}"
    );
    assert!(rig.log().contains("building the image here instead"), "{}", rig.log());
    drop(agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_10_a_closed_registry_lets_in_who_has_the_right_password() {
    let (tables, registry) = (Fleet::new().await, Registry::start(true).await);
    let digest = registry.push("web:v1", "first");
    registry.push("web:v1", "moved");
    let pinned = format!("docker://{}/web:v1@{digest}", registry.host);

    for secret in [None, Some("wrong")] {
        let rig = Rig::new().await;
        if let Some(password) = secret {
            let auth = format!(r#"{{"{}": {{"username": "ann", "password": "{password}"}}}}"#, registry.host);
            tables.set("ADF_REGISTRY_AUTH", &auth).await;
        }
        told(&rig, &pinned).await;
        let output = rig.command(&rig.settings(""), &tables.front.url()).output().expect("the agent starts");
        let text = String::from_utf8_lossy(&output.stderr);
        let line = text.lines().last().unwrap_or_default();
        let image = pinned.trim_start_matches("docker://");
        let reason = format!(
            "failed in prepare: E110 image {image} was not found, or {} denied access: ",
            registry.host
        );
        assert!(line.contains(&reason), "{line}");
        assert!(!text.contains("wrong"), "a password in the log");
        assert_eq!((output.status.code(), rig.containers(true).len()), (Some(78), 0));
    }

    let rig = Rig::new().await;
    let auth = format!(r#"{{"{}": {{"username": "ann", "password": "hunter2"}}}}"#, registry.host);
    tables.set("ADF_REGISTRY_AUTH", &auth).await;
    told(&rig, &pinned).await;
    let settings = rig.settings("");
    let agent = rig.start(&settings, &tables.front.url());
    assert_eq!(answer(&rig.address).await, "Hello world from v1");
    let receipt = tables.serving(&rig).await;
    assert_eq!(receipt.image_source, Some(ImageSource::Pulled));
    assert_eq!(receipt.release_digest.map(|d| d.to_string()), Some(digest.clone()));
    let container = rig.containers(false).remove(0);
    let running = run("docker", &["inspect", "--format", "{{index .Config.Labels \"salt\"}}", &container]);
    assert_eq!(
        String::from_utf8_lossy(&running.stdout).trim(),
        "first",
        "the tag was moved, the digest was not"
    );
    drop(agent);

    drop(registry);
    let agent = rig.start(&settings, &tables.front.url());
    let again = eventually("an adopting receipt", async || {
        let receipt = tables.serving(&rig).await;
        (receipt.image_source == Some(ImageSource::Present)).then_some(receipt)
    })
    .await;
    assert_eq!(again.image_id, receipt.image_id, "a restart needs no registry");
    drop(agent);
}

#[tokio::test(flavor = "multi_thread")]
async fn fault_10_an_image_that_is_not_there_is_final() {
    let registry = Registry::start(false).await;
    let rig = Rig::new().await;
    let user_data = format!("RELEASE_URL=\"docker://{}/web:v9\"\n", registry.host);
    rig.serve("/latest/user-data", user_data.as_bytes()).await;
    let (code, line) = rig.fails(&rig.settings("")).await;
    assert!(line.contains(&format!("E110 image {}/web:v9 was not found, or ", registry.host)), "{line}");
    assert_eq!(code, Some(78));
}
