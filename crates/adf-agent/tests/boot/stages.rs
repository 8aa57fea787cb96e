//! The stages of a boot, and how each ends it.

use std::time::Duration;

use adf_agent::exit::Exit;
use adf_agent::failure::Kind;
use adf_agent::world::{BuildError, Container, ContainerState, DockerError, Image, ImdsError, TableError};
use adf_types::{Config, Digest, ImageSource, InstanceState, Stage};

use crate::fakes::{self, Plan, Ran, archive, labels, play};

/// Long enough for any of these boots, short of the first restart back-off.
const A_WHILE: Duration = Duration::from_mins(1);

/// Longer than `boot_timeout` and everything after it.
const LONG: Duration = Duration::from_hours(1);

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
async fn a_required_name_without_a_value_ends_the_boot() {
    let files = [
        ("Dockerfile", "FROM scratch\n"),
        ("adf.toml", "[config]\nrequired = [\"FOO\", \"BAR\", \"BAZ\"]\n"),
    ];
    let ran = play(Plan { archive: archive(&files), ..Plan::default() }, LONG).await;
    failed_without_a_container(&ran, "E152 config lacks BAR, BAZ");
}

#[tokio::test(start_paused = true)]
async fn a_config_that_may_not_be_read_ends_the_boot() {
    let denied =
        TableError { kind: Kind::Permanent, message: "E152 cannot read config: access denied".into() };
    let ran = play(Plan { config: Err(denied), ..Plan::default() }, LONG).await;
    failed_without_a_container(&ran, "E152 cannot read config");
}

#[tokio::test(start_paused = true)]
async fn one_failed_probe_starts_the_count_again() {
    let no = || Err("503".to_owned());
    let probes = [Ok(()), Ok(()), no(), Ok(()), Ok(()), no()].into();
    let ran = play(Plan { probes, ..Plan::default() }, A_WHILE).await;
    let before = &ran.calls[..ran.at("Continue")];
    assert_eq!(before.iter().filter(|c| c.starts_with("probe")).count(), 9);
}

#[tokio::test(start_paused = true)]
async fn an_app_that_never_becomes_healthy_is_abandoned_with_what_was_seen() {
    let ran = play(Plan { probes_then: Err("503".to_owned()), ..Plan::default() }, LONG).await;
    let (reason, tail) = ran.failure();
    assert!(reason.starts_with("E171 http://127.0.0.1:8080/ gave 503 on 61 of 61 probes"), "{reason}");
    assert_eq!(tail, ["starting", "panic: no database"]);
    assert_eq!((ran.find("Continue"), ran.count("Abandon"), ran.exit), (None, 1, Exit::Permanent));
    assert!(ran.at("stop new") < ran.at("Abandon"), "a failed container does not go on running");
}

#[tokio::test(start_paused = true)]
async fn a_container_that_exits_three_times_is_abandoned_with_its_last_lines() {
    let exited = || ContainerState::Exited { code: 7, out_of_memory: false };
    let ran = play(Plan { states: [exited(), exited(), exited()].into(), ..Plan::default() }, LONG).await;
    let (reason, tail) = ran.failure();
    assert!(reason.starts_with("E170 the container exited 7 3 times in"), "{reason}");
    assert!(reason.ends_with("last line: panic: no database"), "{reason}");
    assert_eq!(tail.len(), 2);
    assert_eq!(ran.count("start new"), 3);
    assert_eq!((ran.find("Continue"), ran.count("Abandon")), (None, 1));
}

#[tokio::test(start_paused = true)]
async fn a_container_that_exits_once_is_started_again_and_serves() {
    let states = [ContainerState::Exited { code: 1, out_of_memory: false }].into();
    let ran = play(Plan { states, ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("start new"), ran.count("Continue"), ran.exit), (2, 1, Exit::Stopped));
}

#[tokio::test(start_paused = true)]
async fn a_digest_that_does_not_match_never_completes_a_build() {
    let user_data = format!("{}RELEASE_DIGEST=\"sha256:{}\"\n", fakes::USER_DATA, "0".repeat(64));
    let ran = play(Plan { user_data, ..Plan::default() }, LONG).await;
    failed_without_a_container(&ran, "E140 release digest mismatch: want sha256:0000");
    assert_eq!(ran.find("build completes"), None);
    assert_eq!(ran.count("fetch"), 1, "the same bytes are not fetched again");
}

#[tokio::test(start_paused = true)]
async fn a_digest_that_matches_is_in_the_receipt() {
    let digest = Digest::of_bytes(&Plan::default().archive);
    let user_data = format!("{}RELEASE_DIGEST=\"{digest}\"\n", fakes::USER_DATA);
    let ran = play(Plan { user_data, ..Plan::default() }, A_WHILE).await;
    assert_eq!(ran.last().release_digest, Some(digest));
}

#[tokio::test(start_paused = true)]
async fn user_data_that_contradicts_the_release_record_ends_the_boot() {
    let digest = Digest::of_bytes(&Plan::default().archive);
    let record = serde_json::from_value(serde_json::json!({
        "app": "web", "release": "v1", "url": "s3://releases/web-v1.tar.gz",
        "digest": Digest::of_bytes(b"other").to_string(), "tree": null, "commit": null,
        "required_config": [], "created_at": "2026-01-01T00:00:00Z", "created_by": "ann",
    }))
    .expect("a record");
    let user_data = format!("{}RELEASE_DIGEST=\"{digest}\"\n", fakes::USER_DATA);
    let ran = play(Plan { user_data, record: Some(record), ..Plan::default() }, LONG).await;
    failed_without_a_container(&ran, "E140 release digest mismatch: user data says");
    assert_eq!(ran.find("fetch"), None);
}

#[tokio::test(start_paused = true)]
async fn a_second_start_finds_image_and_container_and_only_reads_config() {
    let first = play(Plan::default(), A_WHILE).await;
    let image = Image {
        id: "sha256:built".into(),
        labels: labels(&first, &config("hunter2"))
            .into_iter()
            .filter(|(k, _)| {
                ["adf.app", "adf.release", "adf.url", "adf.digest", "adf.toml"].contains(&k.as_str())
            })
            .collect(),
        exposed: vec![],
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
async fn a_container_of_somebody_else_is_never_touched() {
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
async fn an_instance_without_a_release_url_is_abandoned() {
    let ran = play(Plan { user_data: "APP=web\n".to_owned(), ..Plan::default() }, LONG).await;
    assert_eq!((ran.exit, ran.count("Abandon"), ran.find("fetch")), (Exit::Permanent, 1, None));
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
    assert!(ran.receipts.iter().any(|r| r.is_serving() && r.probes.passed > 3000));
}

#[tokio::test(start_paused = true)]
async fn receipts_that_cannot_be_written_do_not_take_the_app_down() {
    let ran = play(Plan { receipts_refused: true, ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.exit, ran.count("Continue")), (Exit::Stopped, 1));
}

#[tokio::test(start_paused = true)]
async fn a_long_boot_records_heartbeats_each_third_of_the_timeout() {
    let plan =
        Plan { build_takes: Duration::from_secs(100), heartbeat: Duration::from_secs(30), ..Plan::default() };
    let ran = play(plan, Duration::from_secs(200)).await;
    let during =
        ran.calls[..ran.at("build completes")].iter().filter(|c| *c == "heartbeat adf-launch").count();
    assert!((9..=10).contains(&during), "{during} heartbeats in 100 s");
    assert!(ran.calls[ran.at("Continue")..].iter().all(|c| !c.starts_with("heartbeat")));
}

#[tokio::test(start_paused = true)]
async fn a_docker_that_never_answers_ends_the_boot_at_its_limit_and_says_so() {
    let down =
        || DockerError::NotAnswering { host: "/var/run/docker.sock".into(), problem: "no such file".into() };
    let pings = std::iter::repeat_with(down).take(1000).collect();
    let ran = play(Plan { pings, ..Plan::default() }, LONG).await;
    failed_without_a_container(&ran, "E190 the boot did not finish within its 600 s");
    assert!(ran.failure().0.contains("E101 Docker is not answering on /var/run/docker.sock: no such file"));
    assert!((600..610).contains(&ran.took.as_secs()), "{:?}", ran.took);
}

#[tokio::test(start_paused = true)]
async fn a_docker_that_starts_late_is_waited_for() {
    let down = || DockerError::NotAnswering { host: "x".into(), problem: "y".into() };
    let ran = play(Plan { pings: [down(), down(), down()].into(), ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("docker ping"), ran.count("Continue")), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn a_docker_without_buildkit_builds_with_the_classic_builder() {
    let builds = [BuildError::NoBuildKit("no active session".into())].into();
    let ran = play(Plan { builds, ..Plan::default() }, A_WHILE).await;
    assert!(ran.at("build begins buildkit") < ran.at("build begins classic"));
    assert_eq!((ran.count("fetch"), ran.count("Continue")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failing_dockerfile_is_not_built_again() {
    let failed = BuildError::Failed {
        step: Some("[2/3] RUN make".into()),
        message: "exit code: 2".into(),
        log: vec!["cc: not found".into()],
    };
    let ran = play(Plan { builds: [failed].into(), ..Plan::default() }, LONG).await;
    failed_without_a_container(&ran, "E108 the Dockerfile failed at [2/3] RUN make: exit code: 2");
    assert_eq!(ran.failure().1, ["cc: not found"]);
    assert_eq!(ran.count("build begins"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_docker_connection_is_tried_three_times() {
    let lost = || BuildError::Lost("connection reset".into());
    let ran = play(Plan { builds: [lost(), lost()].into(), ..Plan::default() }, A_WHILE * 2).await;
    assert_eq!((ran.count("build begins"), ran.count("Continue")), (3, 1));
    let ran = play(Plan { builds: [lost(), lost(), lost()].into(), ..Plan::default() }, LONG).await;
    failed_without_a_container(&ran, "E102");
}

#[tokio::test(start_paused = true)]
async fn a_port_in_use_names_the_port_and_its_holder() {
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
async fn metadata_that_comes_up_late_is_waited_for_on_the_documented_schedule() {
    let down = || ImdsError::Unreachable("connection refused".into());
    let ran =
        play(Plan { imds: std::iter::repeat_with(down).take(5).collect(), ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("imds meta-data/instance-id"), ran.count("Continue")), (6, 1));
}

#[tokio::test(start_paused = true)]
async fn metadata_that_never_answers_is_a_failure_that_systemd_may_retry() {
    let down = || ImdsError::Unreachable("connection refused".into());
    let ran =
        play(Plan { imds: std::iter::repeat_with(down).take(1000).collect(), ..Plan::default() }, LONG).await;
    assert_eq!(ran.exit, Exit::Transient);
    assert!((157..=240).contains(&ran.took.as_secs()), "{:?}", ran.took);
    assert!(ran.calls.iter().all(|c| c.starts_with("imds")), "{:?}", ran.calls);
}

#[tokio::test(start_paused = true)]
async fn metadata_that_is_switched_off_is_permanent() {
    let ran = play(Plan { imds: [ImdsError::Refused].into(), ..Plan::default() }, LONG).await;
    assert_eq!((ran.exit, ran.took.as_secs()), (Exit::Permanent, 0));
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_is_renewed_once_and_the_read_repeated() {
    let ran = play(Plan { imds: [ImdsError::TokenExpired].into(), ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("imds token"), ran.count("Continue")), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_it_drains_within_the_apps_grace() {
    let files = [("Dockerfile", "FROM scratch\n"), ("adf.toml", "[run]\nport = 1\nstop_grace = \"45s\"\n")];
    let ran = play(Plan { archive: archive(&files), ..Plan::default() }, A_WHILE).await;
    assert_eq!(ran.count("stop new 45s"), 1);
    assert_eq!(ran.last().state, InstanceState::Stopped);
    assert_eq!(ran.exit, Exit::Stopped);
}

#[tokio::test(start_paused = true)]
async fn told_to_stop_during_the_boot_it_abandons_and_starts_nothing_more() {
    let plan = Plan { build_takes: Duration::from_secs(100), ..Plan::default() };
    let ran = play(plan, Duration::from_secs(10)).await;
    assert_eq!((ran.exit, ran.count("Abandon"), ran.find("create")), (Exit::Stopped, 1, None));
    assert_eq!(ran.last().state, InstanceState::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_container_that_exits_while_serving_is_started_again_with_back_off() {
    let exited = || ContainerState::Exited { code: 137, out_of_memory: true };
    // Three looks while the boot counts its passes, then two exits.
    let running = || ContainerState::Running;
    let states = [running(), running(), running(), exited(), exited()].into();
    let ran = play(Plan { states, ..Plan::default() }, A_WHILE * 2).await;
    let reasons: Vec<String> = ran
        .receipts
        .iter()
        .filter_map(|r| match &r.state {
            InstanceState::Unhealthy { reason } => Some(reason.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(
        reasons.first().map(String::as_str),
        Some("the container exited 137 (out of memory); starting it again in 10 s")
    );
    assert!(reasons.iter().any(|r| r.ends_with("starting it again in 20 s")), "{reasons:?}");
    let last_serving = ran.receipts.iter().rfind(|r| r.is_serving()).expect("served again");
    assert_eq!(last_serving.restarts, 2);
    assert_eq!(ran.count("Continue"), 1, "the group is told once");
}

#[tokio::test(start_paused = true)]
async fn an_app_that_stops_answering_is_unhealthy_until_it_answers_again() {
    let no = || Err("no answer in time".to_owned());
    let probes = [Ok(()), Ok(()), Ok(()), no(), no(), no(), no()].into();
    let ran = play(Plan { probes, ..Plan::default() }, A_WHILE).await;
    let unhealthy =
        ran.receipts.iter().position(|r| matches!(r.state, InstanceState::Unhealthy { .. })).expect("told");
    assert!(ran.receipts[unhealthy..].iter().any(adf_types::Receipt::is_serving));
    assert_eq!(ran.count("start new"), 1, "a container that runs is not restarted");
    assert_eq!(ran.last().probes.failed, 4);
}
