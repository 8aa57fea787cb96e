//! Builds that end without an image: what is tried again, when, and what the operator is told.

use std::time::{Duration, UNIX_EPOCH};

use adf_agent::agent::Agent;
use adf_agent::exit::Exit;
use adf_agent::world::{BuildError, BuildProblem, Image, ListedImage, Stock};
use adf_types::Builder;

use crate::fakes::{Event, LONG, Plan, Ran, archive, docker_down, play};

const A_WHILE: Duration = Duration::from_mins(2);

fn at(step: &str, problem: BuildProblem) -> BuildError {
    BuildError { problem, step: Some(step.to_owned()), log: vec!["the last line".to_owned()] }
}

fn lost() -> BuildError {
    at("[7/12] RUN make", BuildProblem::Lost("connection reset".into()))
}

fn session_lost() -> BuildError {
    at("[internal] load metadata for node:22", BuildProblem::SessionLost("no active sessions".into()))
}

fn plan(builds: impl IntoIterator<Item = BuildError>) -> Plan {
    Plan { builds: builds.into_iter().collect(), ..Plan::default() }
}

/// Failed for good with this reason, nothing started, the group told once.
fn failed(ran: &Ran, reason: &str) {
    let (told, _) = ran.failure();
    assert!(told.starts_with(reason), "{told}");
    assert_eq!((ran.exit, ran.find("create"), ran.find("Continue")), (Exit::Permanent, None, None));
    assert_eq!(ran.count("Abandon web adf-launch"), 1);
}

/// Which builders were tried.
fn builders(ran: &Ran) -> Vec<&str> {
    ran.calls.iter().filter_map(|call| call.strip_prefix("build begins ")).collect()
}

#[tokio::test(start_paused = true)]
async fn fault_02_a_docker_that_restarts_during_a_build_is_waited_for_and_built_on_again_three_times() {
    // The claim's ping is answered; those after the connection was lost find Docker still down.
    let restarts: Event = Box::new(|plan: &mut Plan, _: &Agent| {
        plan.pings = [docker_down(), docker_down(), docker_down()].into();
    });
    let ran =
        play(Plan { events: vec![(Duration::from_secs(1), restarts)], ..plan([lost()]) }, A_WHILE).await;
    assert_eq!((ran.count("build begins"), ran.count("Continue")), (2, 1));
    // 2 s, then Docker is asked after 0, 0.5, 1 and 2 s more.
    assert_eq!(ran.times("build begins")[1], Duration::from_millis(2000 + 500 + 1000 + 2000));

    let ran = play(plan([lost(), lost(), lost()]), A_WHILE).await;
    assert_eq!((ran.count("build begins"), ran.count("Continue")), (4, 1));
    let ran = play(plan([lost(), lost(), lost(), lost()]), LONG).await;
    failed(
        &ran,
        "E102 the connection to Docker was lost during the build at [7/12] RUN make: connection reset",
    );
    assert_eq!(ran.count("build begins"), 4);
    assert_eq!(ran.gaps("build begins"), [2, 4, 8], "the documented pauses");
}

#[tokio::test(start_paused = true)]
async fn fault_03_a_build_without_an_image_id_is_looked_up_then_tried_twice_then_built_classically() {
    let no_image = || at("[3/3] COPY . /", BuildProblem::NoImage);
    let ran = play(plan([no_image(), no_image(), no_image()]), A_WHILE).await;
    assert_eq!(builders(&ran), ["buildkit", "buildkit", "buildkit", "classic"]);
    let serving = ran.receipts.iter().rfind(|r| r.is_serving()).expect("served");
    assert_eq!(serving.image_builder, Some(Builder::Classic), "the receipt names the builder");

    let ran = play(plan([no_image(), no_image(), no_image(), no_image()]), LONG).await;
    failed(&ran, "E103 the build ended without an image id at [3/3] COPY . /");

    // The stream ended early, the image is there.
    let labels = [
        ("adf.app", "web"),
        ("adf.release", "v1"),
        ("adf.url", "s3://releases/web-v1.tar.gz"),
        ("adf.digest", ""),
    ];
    let labels = labels.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let image = Image { id: "sha256:there".into(), labels, exposed: vec![8080], ..Image::default() };
    let ran = play(Plan { image_after_build: Some(image), ..plan([no_image()]) }, A_WHILE).await;
    assert_eq!((ran.count("build begins"), ran.count("Continue")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn fault_04_a_lost_session_is_tried_twice_then_the_classic_builder() {
    let ran = play(plan([session_lost(), session_lost(), session_lost()]), A_WHILE).await;
    assert_eq!(builders(&ran), ["buildkit", "buildkit", "buildkit", "classic"]);
    assert_eq!(ran.count("Continue"), 1);
}

#[tokio::test(start_paused = true)]
async fn fault_04_a_dockerfile_with_build_secrets_never_reaches_the_classic_builder() {
    let files = [("Dockerfile", "FROM scratch\n"), ("adf.toml", "[build]\nsecrets = [\"FOO\"]\n")];
    let ran = play(
        Plan { archive: archive(&files), ..plan([session_lost(), session_lost(), session_lost()]) },
        LONG,
    )
    .await;
    failed(&ran, "E104 BuildKit lost the build's session (not a registry fault)");
    assert!(ran.failure().0.contains("the classic builder cannot take its place"), "{}", ran.failure().0);
    assert_eq!(builders(&ran), ["buildkit", "buildkit", "buildkit"]);
    assert_eq!(ran.took.as_secs(), 2 + 4);
}

#[tokio::test(start_paused = true)]
async fn fault_04_a_dockerfile_that_only_buildkit_understands_never_reaches_the_classic_builder() {
    for (dockerfile, what) in [
        ("FROM scratch\nRUN --mount=type=cache,target=/c make\n", "RUN --mount"),
        ("FROM scratch\nRUN <<EOF\nmake\nEOF\n", "a here-document"),
    ] {
        let files = [("Dockerfile", dockerfile), ("adf.toml", "[run]\nport = 1\n")];
        let missing = BuildProblem::NoBuildKit("POST /session answered 404 Not Found".into());
        let ran = play(Plan { archive: archive(&files), ..plan([BuildError::bare(missing)]) }, LONG).await;
        failed(&ran, "E104 BuildKit did not answer: POST /session answered 404 Not Found");
        assert!(ran.failure().0.contains(&format!("the Dockerfile uses {what}")), "{}", ran.failure().0);
        assert_eq!(builders(&ran), ["buildkit"]);
    }
}

#[tokio::test(start_paused = true)]
async fn fault_05_a_silent_build_ends_the_boot_with_its_step() {
    let silent = at("[2/3] RUN npm ci", BuildProblem::Silent(Duration::from_mins(10)));
    let ran = play(plan([silent]), LONG).await;
    failed(&ran, "E105 the build gave no output for 600 s at [2/3] RUN npm ci; it was cancelled");
    assert_eq!((ran.count("build begins"), ran.failure().1), (1, vec!["the last line".to_owned()]));
}

#[tokio::test(start_paused = true)]
async fn fault_07_a_build_that_ran_out_of_memory_is_tried_once_more_and_names_step_victim_and_ram() {
    let killed = || at("[9/9] RUN webpack", BuildProblem::OutOfMemory { victim: None, host_ram: None });
    let ran = play(plan([killed()]), A_WHILE).await;
    assert_eq!((ran.count("build begins"), ran.count("Continue")), (2, 1));
    let ran = play(Plan { oom_victim: Some("node"), ..plan([killed(), killed()]) }, LONG).await;
    failed(
        &ran,
        "E107 the build ran out of memory at [9/9] RUN webpack (the OOM killer took node, host RAM 3.9 GiB); \
         use a larger instance",
    );
    assert_eq!((ran.count("build begins"), ran.took.as_secs()), (2, 5));
}

#[tokio::test(start_paused = true)]
async fn fault_07_exit_1_with_a_kill_of_the_kernel_in_between_is_out_of_memory() {
    let exit = |code| {
        at("[9/9] RUN make", BuildProblem::Dockerfile { message: "exit code: 1".into(), exit: Some(code) })
    };
    let ran = play(Plan { kills_while_building: 1, ..plan([exit(1), exit(1)]) }, LONG).await;
    failed(&ran, "E107 the build ran out of memory at [9/9] RUN make (host RAM 3.9 GiB)");
    let ran = play(plan([exit(1)]), LONG).await;
    failed(&ran, "E108 the Dockerfile failed at [9/9] RUN make: exit code: 1");
    assert_eq!(ran.count("build begins"), 1);
}

#[tokio::test(start_paused = true)]
async fn fault_08_a_failing_dockerfile_is_not_built_again() {
    let failing = BuildProblem::Dockerfile { message: "exit code: 2".into(), exit: Some(2) };
    let ran = play(plan([at("[2/3] RUN make", failing)]), LONG).await;
    failed(&ran, "E108 the Dockerfile failed at [2/3] RUN make: exit code: 2");
    assert_eq!(ran.failure().1, ["the last line"]);
    assert_eq!((ran.count("build begins"), ran.took.as_secs()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn fault_09_a_rate_limit_is_waited_out_within_the_boots_time_and_not_hammered() {
    let limited = |wait| {
        at(
            "[internal] load metadata for node:22",
            BuildProblem::RateLimited {
                image: "docker.io/library/node:22".into(),
                message: "429 Too Many Requests".into(),
                wait,
            },
        )
    };
    let ran = play(plan([limited(None), limited(None)]), LONG).await;
    assert_eq!((ran.count("build begins"), ran.count("Continue")), (3, 1));
    let ran = play(plan([limited(Some(Duration::from_secs(47)))]), LONG).await;
    assert_eq!(ran.gaps("build begins"), [47]);

    let ran = play(plan(std::iter::repeat_with(|| limited(None)).take(50)), LONG).await;
    failed(
        &ran,
        "E109 the registry's rate limit for docker.io/library/node:22 is reached: 429 Too Many Requests",
    );
    // 30, 60, 120 and 240 s fit into the boot's ten minutes, the next 480 s do not.
    assert_eq!(ran.gaps("build begins"), [30, 60, 120, 240]);
    assert!(ran.failure().0.contains("its next try, in 480 s, would be after the boot's time"));
}

#[tokio::test(start_paused = true)]
async fn fault_10_a_base_image_that_is_not_there_or_not_for_us_ends_the_boot_at_once() {
    let denied = BuildProblem::BaseImage { image: "ghcr.io/a/b:1".into(), message: "denied".into() };
    let ran = play(plan([at("[1/2] FROM ghcr.io/a/b:1", denied)]), LONG).await;
    failed(&ran, "E110 base image ghcr.io/a/b:1 was not found or may not be read: denied");
    assert_eq!((ran.count("build begins"), ran.took.as_secs()), (1, 0));
}

fn stock(releases: u64) -> Stock {
    let image = |n: u64| ListedImage {
        id: format!("sha256:{n}"),
        tags: vec![format!("adf/web:old{n}-0")],
        labels: [("adf.app".to_owned(), "web".to_owned())].into(),
        tagged: Some(UNIX_EPOCH + Duration::from_secs(n)),
    };
    let foreign =
        ListedImage { id: "sha256:f".into(), tags: vec!["redis:7".into()], ..ListedImage::default() };
    Stock { images: (1..=releases).map(image).chain([foreign]).collect(), ..Stock::default() }
}

#[tokio::test(start_paused = true)]
async fn fault_06_a_short_disk_gets_room_from_our_old_images_oldest_first_and_no_more_than_needed() {
    let mut short = Plan { stock: stock(4), image_frees: 1 << 30, ..Plan::default() };
    short.disk.free_bytes = 1 << 29;
    let ran = play(short, A_WHILE).await;
    let before = &ran.calls[..ran.at("build begins")];
    let removed: Vec<_> =
        before.iter().filter(|c| c.starts_with("remove image") || c.starts_with("empty")).collect();
    assert_eq!(removed, ["remove image adf/web:old1-0", "remove image adf/web:old2-0"]);
    assert_eq!(ran.count("Continue"), 1);
    assert_eq!(ran.find("remove image redis:7"), None);
}

#[tokio::test(start_paused = true)]
async fn fault_06_a_disk_that_stays_full_ends_the_boot_with_numbers_and_the_receipt_is_still_written() {
    let mut full = Plan { stock: stock(3), ..Plan::default() };
    full.disk.free_bytes = 214_748_364;
    let ran = play(full, LONG).await;
    failed(
        &ran,
        "E106 the disk is full: /var/lib/docker has 0.2 GiB free, an image needs 2.0 GiB; 2 old images of ADF and the build cache were removed",
    );
    assert_eq!((ran.find("build begins"), ran.count("empty build cache")), (None, 1));
    assert_eq!(ran.find("remove image adf/web:old3-0"), None, "the way back stays");
}

#[tokio::test(start_paused = true)]
async fn fault_06_too_few_inodes_are_a_full_disk_too() {
    let mut full = Plan::default();
    full.disk.free_inodes = Some(12);
    let ran = play(full, LONG).await;
    failed(
        &ran,
        "E106 the disk is full: /var/lib/docker has 50.0 GiB free and 12 of 20000 inodes, an image needs 2.0 GiB",
    );
}

#[tokio::test(start_paused = true)]
async fn fault_06_a_disk_that_fills_during_a_build_is_cleared_and_built_on_once_more() {
    let full = || at("[2/3] RUN npm ci", BuildProblem::DiskFull("no space left on device".into()));
    let ran = play(Plan { stock: stock(3), ..plan([full()]) }, A_WHILE).await;
    assert_eq!((ran.count("build begins"), ran.count("empty build cache"), ran.count("Continue")), (2, 1, 1));
    let ran = play(plan([full(), full()]), LONG).await;
    failed(
        &ran,
        "E106 the disk is full at [2/3] RUN npm ci: no space left on device; /var/lib/docker has 50.0 GiB free",
    );
    assert_eq!(ran.count("build begins"), 2);
}

#[tokio::test(start_paused = true)]
async fn after_a_boot_only_so_many_releases_keep_their_images() {
    let ran = play(Plan { stock: stock(4), ..Plan::default() }, A_WHILE).await;
    assert!(ran.at("tag adf/web:v1-") > ran.at("Continue"), "Docker remembers that this one served last");
    let removed: Vec<_> =
        ran.calls[ran.at("Continue")..].iter().filter(|c| c.starts_with("remove image")).collect();
    assert_eq!(
        removed,
        ["remove image adf/web:old1-0", "remove image adf/web:old2-0", "remove image adf/web:old3-0"]
    );
    assert_eq!(ran.find("empty build cache"), None, "a warm cache is what the next build is fast with");
}

#[tokio::test(start_paused = true)]
async fn build_secrets_come_from_the_config_and_a_missing_one_is_named() {
    let files =
        [("Dockerfile", "FROM scratch\n"), ("adf.toml", "[run]\nport = 1\n[build]\nsecrets = [\"FOO\"]\n")];
    let plan = || Plan { archive: archive(&files), config_takes: Duration::from_secs(9), ..Plan::default() };
    let ran = play(plan(), A_WHILE).await;
    assert!(ran.at("config web v1") < ran.at("build begins"), "this build waits for the config");
    assert_eq!(ran.count("build is given FOO=hunter2"), 1);

    let ran = play(Plan { config: Ok(vec![]), ..plan() }, LONG).await;
    failed(&ran, "E152 config lacks FOO, which the release's adf.toml lists in [build] secrets");
    assert_eq!(ran.find("build begins"), None);
}
