//! Images that are pulled instead of built, and the push that makes it possible.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_agent::exit::Exit;
use adf_agent::prepare::pull::{PULL_SCHEDULE, RATE_SCHEDULE, SHARED_SCHEDULE};
use adf_agent::settings::Settings;
use adf_agent::world::{Image, RegistryError};
use adf_types::{Digest, ImageSource, ReleaseImage};

use crate::fakes::{Plan, Ran, play, play_with};

/// Long enough for a boot that goes well, and for its retries.
const A_WHILE: Duration = Duration::from_mins(5);

/// Longer than `boot_timeout` and everything after it.
const LONG: Duration = Duration::from_hours(1);

const ECR: &str = "123456789012.dkr.ecr.us-east-1.amazonaws.com/web";

fn digest() -> Digest {
    Digest::of_bytes(b"an image")
}

/// A boot of the release that is this image; a pull brings one that listens on 8080.
fn release(image: &str) -> Plan {
    let pulled = Image {
        id: "sha256:pulled".into(),
        labels: [("adf.toml".to_owned(), "[run]\nport = 8080\n".to_owned())].into(),
        repo_digests: vec![format!("ghcr.io/acme/web@{}", digest())],
        ..Image::default()
    };
    Plan {
        user_data: format!("APP=\"web\"\nRELEASE=\"v1\"\nRELEASE_URL=\"docker://{image}\"\n"),
        pulled: Some(pulled),
        ..Plan::default()
    }
}

/// A fleet with a repository: the default release, and what another instance has pushed of it.
fn fleet(recorded: bool) -> Plan {
    let labels = [
        ("adf.app", "web"),
        ("adf.release", "v1"),
        ("adf.url", "s3://releases/web-v1.tar.gz"),
        ("adf.digest", ""),
        ("adf.toml", "[run]\nport = 8080\n"),
    ];
    let labels: BTreeMap<_, _> = labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let image = ReleaseImage {
        image: format!("{ECR}@{}", digest()).parse().expect("an image"),
        pushed_by: "i-0canary".parse().expect("an id"),
        pushed_at: "2026-01-01T00:00:00Z".parse().expect("a time"),
    };
    Plan {
        pulled: Some(Image { id: "sha256:canary".into(), labels, ..Image::default() }),
        release_image: recorded.then_some(image),
        ..Plan::default()
    }
}

fn with_repository(settings: &mut Settings) {
    settings.image_repository = Some(ECR.parse().expect("a repository"));
}

fn limited() -> RegistryError {
    RegistryError::RateLimited { image: "ghcr.io/acme/web:v1".into(), problem: "toomanyrequests".into() }
}

fn denied() -> RegistryError {
    RegistryError::Denied {
        host: "ghcr.io".into(),
        image: "ghcr.io/acme/web:v1".into(),
        problem: "unauthorized".into(),
    }
}

fn silent() -> RegistryError {
    RegistryError::Unreachable {
        host: "ghcr.io".into(),
        image: "ghcr.io/acme/web:v1".into(),
        problem: "connection refused".into(),
    }
}

fn served(ran: &Ran) -> &adf_types::Receipt {
    assert_eq!((ran.count("Continue"), ran.find("Abandon"), ran.exit), (1, None, Exit::Stopped));
    ran.receipts.iter().rfind(|r| r.is_serving()).expect("a serving receipt")
}

#[tokio::test(start_paused = true)]
async fn a_release_that_is_an_image_is_pulled_and_never_built() {
    let ran = play(release(&format!("ghcr.io/acme/web:v1@{}", digest())), A_WHILE).await;
    let receipt = served(&ran);
    assert_eq!(receipt.image_source, Some(ImageSource::Pulled));
    assert_eq!(receipt.image_id.as_deref(), Some("sha256:pulled"));
    assert_eq!(receipt.release_digest, Some(digest()));
    ran.at(&format!("pull ghcr.io/acme/web@{}", digest()));
    ran.at(&format!("tag sha256:pulled adf/web:v1-{}", digest().short()));
    assert_eq!((ran.find("fetch"), ran.find("build"), ran.find("push")), (None, None, None));
}

#[tokio::test(start_paused = true)]
async fn a_digest_in_user_data_pins_the_image_as_well() {
    let mut plan = release("ghcr.io/acme/web:v1");
    plan.user_data = format!("{}RELEASE_DIGEST=\"{}\"\n", plan.user_data, digest());
    let ran = play(plan, A_WHILE).await;
    ran.at(&format!("pull ghcr.io/acme/web@{}", digest()));
    assert_eq!(served(&ran).release_digest, Some(digest()));

    let mut plan = release(&format!("ghcr.io/acme/web@{}", digest()));
    let another = Digest::of_bytes(b"another");
    plan.user_data = format!("{}RELEASE_DIGEST=\"{another}\"\n", plan.user_data);
    let ran = play(plan, LONG).await;
    assert_eq!((ran.exit, ran.find("pull")), (Exit::Permanent, None));
}

#[tokio::test(start_paused = true)]
async fn after_a_reboot_the_pulled_image_is_found_without_the_registry() {
    let mut plan = release(&format!("ghcr.io/acme/web@{}", digest()));
    plan.image = plan.pulled.clone();
    let ran = play(plan, A_WHILE).await;
    assert_eq!((served(&ran).image_source, ran.find("pull")), (Some(ImageSource::Present), None));

    let mut plan = release(&format!("ghcr.io/acme/web@{}", Digest::of_bytes(b"another")));
    plan.image = plan.pulled.clone();
    let ran = play(plan, A_WHILE).await;
    assert_eq!(ran.count("pull"), 1, "an image of another digest is not taken for this one");
}

#[tokio::test(start_paused = true)]
async fn the_role_logs_in_to_amazons_registries_without_waiting_for_config() {
    let plan = Plan { config_takes: Duration::from_secs(30), ..release(&format!("{ECR}:v1")) };
    let ran = play(plan, A_WHILE).await;
    let pulled = ran.at(&format!("pull {ECR}:v1 as AWS:by-role"));
    assert!(pulled < ran.at("config web v1"));
    served(&ran);
}

#[tokio::test(start_paused = true)]
async fn other_registries_get_the_login_that_the_secret_has_for_their_host() {
    let secret = r#"{"ghcr.io": {"username": "ann", "password": "hunter2"}}"#;
    let config = || Ok(vec![("FOO", "1"), ("ADF_REGISTRY_AUTH", secret)]);
    let ran = play(Plan { config: config(), ..release("ghcr.io/acme/web:v1") }, A_WHILE).await;
    assert!(ran.at("config web v1") < ran.at("pull ghcr.io/acme/web:v1 as ann:hunter2"));
    assert!(ran.calls[ran.at("create")].ends_with("FOO=1 APP=web RELEASE=v1"), "the login stays outside");
    let ran = play(Plan { config: config(), ..release("quay.io/acme/web:v1") }, A_WHILE).await;
    assert_eq!(ran.calls[ran.at("pull")], "pull quay.io/acme/web:v1", "not another host's");
}

#[tokio::test(start_paused = true)]
async fn fault_09_a_rate_limit_is_waited_for_from_30_seconds_to_10_minutes() {
    let delays: Vec<u64> = (1..=7).map(|n| RATE_SCHEDULE.delay(n).as_secs()).collect();
    assert_eq!(delays, [30, 60, 120, 240, 480, 600, 600]);
    let pulls = [limited(), limited()].into();
    let ran = play(Plan { pulls, ..release("ghcr.io/acme/web:v1") }, A_WHILE).await;
    assert_eq!((served(&ran).image_source, ran.count("pull")), (Some(ImageSource::Pulled), 3));

    let pulls = std::iter::repeat_with(limited).take(1000).collect();
    let ran = play(Plan { pulls, ..release("ghcr.io/acme/web:v1") }, LONG).await;
    ran.failed_before_a_build("E190 the boot did not finish within its 600 s");
    let (reason, _) = ran.failure();
    assert!(
        reason.contains("last: the registry's rate limit: E109 registry rate limit for ghcr.io/acme/web:v1"),
        "{reason}"
    );
    assert!(ran.count("pull") <= 30, "{} pulls hammer", ran.count("pull"));
}

#[tokio::test(start_paused = true)]
async fn fault_06_an_image_is_not_pulled_onto_a_full_disk() {
    let mut full = release("ghcr.io/acme/web:v1");
    full.disk.free_bytes = 214_748_364;
    let ran = play(full, LONG).await;
    ran.failed_before_a_build(
        "E106 the disk is full: /var/lib/docker has 0.2 GiB free, an image needs 2.0 GiB",
    );
    assert_eq!((ran.count("pull"), ran.count("empty build cache")), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn fault_10_a_registry_that_denies_is_not_asked_again() {
    let ran = play(Plan { pulls: [denied()].into(), ..release("ghcr.io/acme/web:v1") }, LONG).await;
    ran.failed_before_a_build("E110 image ghcr.io/acme/web:v1 was not found, or ghcr.io denied access: unauthorized; check the name and the login",
    );
    assert_eq!((ran.count("pull"), ran.took.as_secs()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_does_not_answer_is_tried_eight_times() {
    let delays: Vec<u64> = (1..=7).map(|n| PULL_SCHEDULE.delay(n).as_secs()).collect();
    assert_eq!(delays, [1, 2, 4, 8, 16, 30, 30]);
    let pulls = std::iter::repeat_with(silent).take(1000).collect();
    let ran = play(Plan { pulls, ..release("ghcr.io/acme/web:v1") }, LONG).await;
    ran.failed_before_a_build(
        "E111 registry ghcr.io did not answer for ghcr.io/acme/web:v1: connection refused",
    );
    assert_eq!(ran.count("pull"), 8);
}

#[tokio::test(start_paused = true)]
async fn the_first_instance_builds_serves_pushes_and_records() {
    let ran = play_with(fleet(false), A_WHILE, with_repository).await;
    let receipt = served(&ran);
    assert_eq!((receipt.image_source, &receipt.image_fallback), (Some(ImageSource::Built), &None));
    let name = format!("{ECR}:web-v1-");
    let pushed = ran.at(&format!("push {name}"));
    assert!(ran.calls[pushed].ends_with(" as AWS:by-role"));
    assert!(ran.at("Continue") < ran.at(&format!("tag sha256:built {name}")), "serving comes first");
    let record = &ran.calls[ran.at("record image web v1")];
    assert!(record.ends_with(&format!("@{}", Digest::of_bytes(b"pushed"))), "{record}");
}

#[tokio::test(start_paused = true)]
async fn the_others_pull_by_digest_what_the_first_has_pushed() {
    let ran = play_with(fleet(true), A_WHILE, with_repository).await;
    let receipt = served(&ran);
    assert_eq!(receipt.image_source, Some(ImageSource::Pulled));
    assert_eq!(receipt.image_id.as_deref(), Some("sha256:canary"));
    ran.at(&format!("pull {ECR}@{} as AWS:by-role", digest()));
    assert_eq!((ran.find("fetch"), ran.find("build"), ran.find("push")), (None, None, None));
}

#[tokio::test(start_paused = true)]
async fn without_a_repository_or_an_app_nobody_asks_for_images() {
    let ran = play(fleet(true), A_WHILE).await;
    assert_eq!((served(&ran).image_source, ran.find("release image")), (Some(ImageSource::Built), None));
    let user_data = "RELEASE_URL=\"s3://releases/web-v1.tar.gz\"\n".to_owned();
    let ran = play_with(Plan { user_data, ..fleet(true) }, A_WHILE, with_repository).await;
    assert_eq!((ran.find("release image"), ran.find("push"), ran.count("build completes")), (None, None, 1));
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_does_not_answer_is_no_reason_not_to_serve() {
    let delays: Vec<u64> = (1..=2).map(|n| SHARED_SCHEDULE.delay(n).as_secs()).collect();
    assert_eq!(delays, [1, 2]);
    let pulls = std::iter::repeat_with(silent).take(1000).collect();
    let ran = play_with(Plan { pulls, ..fleet(true) }, A_WHILE, with_repository).await;
    let receipt = served(&ran);
    assert_eq!(receipt.image_source, Some(ImageSource::Built));
    let because = receipt.image_fallback.as_deref().expect("a reason");
    assert!(because.starts_with("E111 registry ghcr.io did not answer for "), "{because}");
    assert_eq!((ran.count("pull"), ran.count("build completes"), ran.find("push")), (3, 1, None));
}

#[tokio::test(start_paused = true)]
async fn an_image_that_may_not_be_had_now_is_built_at_once() {
    for (error, code) in [(denied(), "E110"), (limited(), "E109")] {
        let ran = play_with(Plan { pulls: [error].into(), ..fleet(true) }, A_WHILE, with_repository).await;
        let because = served(&ran).image_fallback.clone().expect("a reason");
        assert!(because.starts_with(code), "{because}");
        assert_eq!((ran.count("pull"), ran.count("build completes")), (1, 1), "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_image_of_another_release_or_repository_is_never_run() {
    let mut plan = fleet(true);
    plan.pulled.as_mut().expect("an image").labels.insert("adf.release".into(), "v0".into());
    let ran = play_with(plan, A_WHILE, with_repository).await;
    let receipt = served(&ran);
    let because = receipt.image_fallback.as_deref().expect("a reason");
    assert!(
        because.starts_with("E140 the image ") && because.ends_with("is not one of this release"),
        "{because}"
    );
    assert_eq!(receipt.image_id.as_deref(), Some("sha256:built"));

    let mut plan = fleet(true);
    let elsewhere = format!("evil.example/web@{}", digest()).parse().expect("an image");
    plan.release_image.as_mut().expect("recorded").image = elsewhere;
    let ran = play_with(plan, A_WHILE, with_repository).await;
    assert!(served(&ran).image_fallback.is_some());
    assert_eq!(ran.find("pull"), None, "the other repository is not even asked");
}

#[tokio::test(start_paused = true)]
async fn a_push_that_fails_or_takes_long_harms_nobody() {
    let pushes = [denied()].into();
    let ran = play_with(Plan { pushes, ..fleet(false) }, A_WHILE, with_repository).await;
    served(&ran);
    assert_eq!((ran.count("push"), ran.find("record image")), (1, None));

    let pushes = [silent(), silent()].into();
    let ran = play_with(Plan { pushes, ..fleet(false) }, A_WHILE, with_repository).await;
    served(&ran);
    assert_eq!((ran.count("push"), ran.count("record image")), (3, 1));

    let push_takes = Duration::from_hours(2);
    let ran = play_with(Plan { push_takes, ..fleet(false) }, A_WHILE, with_repository).await;
    served(&ran);
    assert!(ran.at("Continue") < ran.at("push"));
}

#[tokio::test(start_paused = true)]
async fn what_another_instance_has_recorded_meanwhile_stays() {
    let mut plan = fleet(true);
    plan.pulls = [denied()].into();
    let ran = play_with(plan, A_WHILE, with_repository).await;
    served(&ran);
    assert_eq!((ran.count("release image"), ran.find("push"), ran.find("record image")), (2, None, None));
}
