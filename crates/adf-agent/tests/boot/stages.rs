//! The stages of a boot, and how each ends it.

use std::time::Duration;

use adf_agent::exit::Exit;
use adf_agent::failure::Kind;
use adf_agent::world::{BuildError, BuildProblem, Container, DockerError, Image, TableError};
use adf_types::{Config, Digest, ImageSource, Stage};

use crate::fakes::{self, A_WHILE, LONG, Plan, Ran, archive, labels, play};

fn config(value: &str) -> Config {
    [("FOO".parse().expect("a name"), value.to_owned())].into_iter().collect()
}

fn failed_without_a_container(ran: &Ran, code: &str) {
    let (reason, _) = ran.failure();
    assert!(reason.starts_with(code), "{reason}");
    assert_eq!(ran.exit, Exit::Permanent);
    assert_eq!(ran.find("create"), None);
    assert_eq!(ran.find("Continue"), None);
    assert_eq!(ran.count("Abandon web adf-launch"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_boot_goes_through_its_stages_in_order() {
    let ran = play(Plan::default(), A_WHILE).await;
    assert!(ran.at("config web v1") < ran.at("create adf-web-i-0abc FOO=hunter2 APP=web RELEASE=v1"));
    assert!(ran.at("build completes") < ran.at("create"));
    assert!(ran.at("start new") < ran.at("probe passes"));
    let before_continue = &ran.calls[..ran.at("Continue web adf-launch")];
    assert_eq!(before_continue.iter().filter(|c| *c == "probe passes").count(), 3);
    assert_eq!(ran.count("Continue"), 1);
    assert_eq!(ran.find("Abandon"), None);
    assert_eq!(ran.exit, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn the_receipt_proves_what_runs() {
    let ran = play(Plan::default(), A_WHILE).await;
    let serving = ran.receipts.iter().rfind(|r| r.is_serving()).expect("served");
    assert_eq!(serving.image_id.as_deref(), Some("sha256:built"));
    assert_eq!(serving.image_source, Some(ImageSource::Built));
    assert_eq!(serving.config_hash, Some(config("hunter2").hash()));
    assert_eq!(serving.ami.as_deref(), Some("ami-1"));
    assert!(serving.probes.passed > 50 && serving.probes.failed == 0, "{:?}", serving.probes);
    let stages: Vec<Stage> = serving.timings.iter().map(|t| t.stage).collect();
    assert_eq!(stages, Stage::ALL[..6]);
    let text = serde_json::to_string(&ran.receipts).expect("serialises");
    assert!(!text.contains("hunter2"), "a config value in a receipt");
}

#[tokio::test(start_paused = true)]
async fn no_container_is_made_before_the_config_is_complete() {
    let ran = play(Plan { config_takes: Duration::from_secs(30), ..Plan::default() }, A_WHILE).await;
    assert!(
        ran.at("build completes") < ran.at("config web v1"),
        "image and config are prepared at the same time"
    );
    assert!(ran.at("config web v1") < ran.at("create"));
}

#[tokio::test(start_paused = true)]
async fn fault_31_a_required_name_without_a_value_ends_the_boot() {
    let files = [
        ("Dockerfile", "FROM scratch\n"),
        ("adf.toml", "[config]\nrequired = [\"FOO\", \"BAR\", \"BAZ\"]\n"),
    ];
    let ran = play(Plan { archive: archive(&files), ..Plan::default() }, LONG).await;
    failed_without_a_container(&ran, "E152 config lacks BAR, BAZ");
}

#[tokio::test(start_paused = true)]
async fn fault_31_a_config_that_may_not_be_read_ends_the_boot() {
    let denied =
        TableError { kind: Kind::Permanent, message: "E152 cannot read config: access denied".into() };
    let ran = play(Plan { config: Err(denied), ..Plan::default() }, LONG).await;
    failed_without_a_container(&ran, "E152 cannot read config");
}

#[tokio::test(start_paused = true)]
async fn a_digest_that_matches_is_in_the_receipt() {
    let digest = Digest::of_bytes(&Plan::default().archive);
    let user_data = format!("{}RELEASE_DIGEST=\"{digest}\"\n", fakes::USER_DATA);
    let ran = play(Plan { user_data, ..Plan::default() }, A_WHILE).await;
    assert_eq!(ran.last().release_digest, Some(digest));
}

#[tokio::test(start_paused = true)]
async fn fault_28_user_data_that_contradicts_the_release_record_ends_the_boot() {
    let digest = Digest::of_bytes(&Plan::default().archive);
    let record = serde_json::from_value(serde_json::json!({
        "app": "web", "release": "v1", "url": "s3://releases/web-v1.tar.gz",
        "digest": Digest::of_bytes(b"other").to_string(), "tree": null, "commit": null,
        "created_at": "2026-01-01T00:00:00Z", "created_by": "ann",
    }))
    .expect("a record");
    let user_data = format!("{}RELEASE_DIGEST=\"{digest}\"\n", fakes::USER_DATA);
    let ran = play(Plan { user_data, record: Some(record), ..Plan::default() }, LONG).await;
    failed_without_a_container(&ran, "E140 release digest mismatch: user data says");
    assert_eq!(ran.find("fetch"), None);
}

#[tokio::test(start_paused = true)]
async fn fault_39_a_second_start_finds_image_and_container_and_only_reads_config() {
    let first = play(Plan::default(), A_WHILE).await;
    let image = Image {
        id: "sha256:built".into(),
        labels: labels(&first, &config("hunter2"))
            .into_iter()
            .filter(|(k, _)| {
                ["adf.app", "adf.release", "adf.url", "adf.digest", "adf.toml"].contains(&k.as_str())
            })
            .collect(),
        ..Image::default()
    };
    let left = |value| Container { id: "left".into(), labels: labels(&first, &config(value)), running: true };
    let plan = |value| Plan {
        image: Some(image.clone()),
        containers: vec![left(value)],
        group: Some("InService"),
        ..Plan::default()
    };

    let same = play(plan("hunter2"), A_WHILE).await;
    assert_eq!((same.find("fetch"), same.find("build"), same.find("create")), (None, None, None));
    assert_eq!((same.count("config web v1"), same.find("Continue")), (1, None));
    assert_eq!(same.last().image_source, Some(ImageSource::Present));

    let changed = play(plan("old value"), A_WHILE).await;
    assert_eq!((changed.find("fetch"), changed.find("build")), (None, None));
    assert!(changed.at("remove left") < changed.at("create"), "its own old container makes room");
    assert_eq!(changed.exit, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn fault_39_a_container_of_somebody_else_is_never_touched() {
    let foreign =
        Container { id: "foreign".into(), labels: [("adf.app".into(), "web".into())].into(), running: true };
    let ran = play(Plan { containers: vec![foreign], ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.find("stop foreign"), ran.find("remove foreign")), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_release_url_alone_comes_up_without_any_table() {
    let user_data = "RELEASE_URL=https://example.org/web.tar.gz\n".to_owned();
    let ran = play(Plan { user_data, group: None, ..Plan::default() }, A_WHILE).await;
    assert_eq!(ran.exit, Exit::Stopped);
    assert_eq!((ran.find("config"), ran.find("release record"), ran.find("receipt")), (None, None, None));
    assert!(ran.at("start new") < ran.at("probe passes"));
}

#[tokio::test(start_paused = true)]
async fn tags_complete_the_user_data() {
    let tags = vec![
        ("APP", "web"),
        ("RELEASE", "v1"),
        ("Name", "x"),
        ("RELEASE_URL", "s3://releases/web-v1.tar.gz"),
    ];
    let ran = play(Plan { user_data: String::new(), tags, ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("config web v1"), ran.count("Continue")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_instance_outside_a_group_completes_nothing() {
    let ran = play(Plan { group: None, ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.find("Continue"), ran.exit), (None, Exit::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_group_that_cannot_be_told_does_not_take_the_app_down() {
    let ran = play(Plan { lifecycle_down: true, ..Plan::default() }, LONG).await;
    assert_eq!(ran.exit, Exit::Stopped);
    assert_eq!(ran.count("stop new 20s"), 1, "stopped once, at the end");
    assert!(ran.receipts.iter().any(|r| r.is_serving() && r.probes.passed > 1000));
}

#[tokio::test(start_paused = true)]
async fn receipts_that_cannot_be_written_do_not_take_the_app_down() {
    let ran = play(Plan { receipts_refused: true, ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.exit, ran.count("Continue")), (Exit::Stopped, 1));
}

#[tokio::test(start_paused = true)]
async fn a_docker_without_buildkit_builds_with_the_classic_builder() {
    let builds = [BuildError::bare(BuildProblem::NoBuildKit("no active session".into()))].into();
    let ran = play(Plan { builds, ..Plan::default() }, A_WHILE).await;
    assert!(ran.at("build begins buildkit") < ran.at("build begins classic"));
    assert_eq!((ran.count("fetch"), ran.count("Continue")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn fault_39_a_port_in_use_names_the_port_and_its_holder() {
    let taken = || DockerError::PortInUse {
        address: "0.0.0.0:8080".parse().expect("an address"),
        holder: Some("nginx".into()),
    };
    let ran = play(Plan { starts: [taken(), taken(), taken()].into(), ..Plan::default() }, LONG).await;
    let (reason, _) = ran.failure();
    assert_eq!(
        reason,
        "E172 port 0.0.0.0:8080 is in use by container \"nginx\"; stop what uses it, or set another [run] port in adf.toml"
    );
    assert_eq!((ran.count("remove new"), ran.count("Abandon"), ran.exit), (1, 1, Exit::Permanent));
}

#[tokio::test(start_paused = true)]
async fn an_app_that_runs_goes_on_when_its_restarted_agent_cannot_read_the_config() {
    let first = play(Plan::default(), A_WHILE).await;
    let left = Container { id: "left".into(), labels: labels(&first, &config("hunter2")), running: true };
    let silent = TableError { kind: Kind::Transient, message: "E151 not reachable".into() };
    let plan =
        Plan { containers: vec![left], config: Err(silent), group: Some("InService"), ..Plan::default() };
    let ran = play(plan, LONG).await;
    assert_eq!((ran.exit, ran.find("stop left"), ran.find("remove left")), (Exit::Transient, None, None));
    assert!(
        ran.last().notice.as_deref().is_some_and(|n| n.starts_with("W189 the agent will be started again"))
    );
    assert!(ran.failure().0.contains("E151 not reachable"), "and it is told why");
}
