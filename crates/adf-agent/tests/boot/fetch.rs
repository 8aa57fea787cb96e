//! Fetching the release's archive: how often it is tried, how long is waited, and who sees the token.

use std::time::Duration;

use adf_agent::exit::Exit;
use adf_agent::world::{ConnectStep, FetchError};

use crate::fakes::{Plan, Ran, play};

/// Long enough for a boot that goes well, and for its retries.
const A_WHILE: Duration = Duration::from_mins(5);

/// Longer than `boot_timeout` and everything after it.
const LONG: Duration = Duration::from_hours(1);

const PRIVATE: &str =
    "APP=\"web\"\nRELEASE=\"v1\"\nRELEASE_URL=\"https://github.com/acme/web/archive/refs/tags/v1.tar.gz\"\n";

fn no_dns() -> FetchError {
    FetchError::Connect { host: "github.com".into(), step: ConnectStep::Dns, problem: "no such host".into() }
}

fn server(status: &str, wait: Option<Duration>) -> FetchError {
    FetchError::Server { url: "https://github.com/a".into(), status: status.into(), wait }
}

async fn fails_with(error: FetchError, times: usize) -> Ran {
    play(Plan { opens: std::iter::repeat_n(error, times).collect(), ..Plan::default() }, LONG).await
}

#[tokio::test(start_paused = true)]
async fn fault_18_a_host_that_cannot_be_reached_is_tried_eight_times_from_1_to_30_seconds() {
    let delays: Vec<u64> =
        (1..=7).map(|n| adf_agent::prepare::pass::OPEN_SCHEDULE.delay(n).as_secs()).collect();
    assert_eq!(delays, [1, 2, 4, 8, 16, 30, 30]);
    let ran = fails_with(no_dns(), 100).await;
    ran.failed_before_a_build(
        "E130 could not connect to github.com: DNS: no such host; check the instance's route",
    );
    assert_eq!(ran.count("fetch"), 8);
    assert!((9.1..=91.0).contains(&ran.took.as_secs_f64()), "full jitter: {:?}", ran.took);

    let plan = Plan { opens: std::iter::repeat_n(no_dns(), 7).collect(), ..Plan::default() };
    let ran = play(plan, A_WHILE).await;
    assert_eq!((ran.count("fetch"), ran.count("Continue")), (8, 1));
}

#[tokio::test(start_paused = true)]
async fn fault_19_a_bad_certificate_is_not_tried_again_and_a_wrong_clock_is_waited_for() {
    let refused = FetchError::Certificate {
        host: "github.com".into(),
        problem: "it expired 2026-01-01T00:00:00Z".into(),
        clock: "2027-01-01T00:00:00Z".parse().expect("a time"),
    };
    let ran = fails_with(refused, 100).await;
    ran.failed_before_a_build("E131 the certificate of github.com was refused: it expired 2026-01-01T00:00:00Z (this host's clock says 2027-01-01T00:00:00Z)",
    );
    assert_eq!(ran.count("fetch"), 1);
    let clock = FetchError::Clock { host: "github.com".into(), off: "14 min behind".into() };
    let ran = fails_with(clock, 100).await;
    ran.failed_before_a_build("E160 this host's clock is 14 min behind github.com's; waiting for time sync");
    assert_eq!((ran.count("fetch"), ran.took.as_secs()), (8, 7 * 17));
}

#[tokio::test(start_paused = true)]
async fn fault_20_a_release_that_is_not_there_is_not_tried_again() {
    let missing = FetchError::NotFound {
        url: "s3://releases/web-v1.tar.gz".into(),
        status: "404".into(),
        advice: "check the key",
    };
    let ran = fails_with(missing, 100).await;
    ran.failed_before_a_build("E132 the release was not found or may not be read (404) at s3://releases/web-v1.tar.gz; check the key",
    );
    assert_eq!((ran.count("fetch"), ran.took.as_secs()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn fault_20_a_rate_limit_is_waited_for_exactly_within_the_boots_time() {
    let limited = |seconds| server("403 Forbidden (rate limit)", Some(Duration::from_secs(seconds)));
    let ran = fails_with(limited(37), 100).await;
    ran.failed_before_a_build(
        "E133 https://github.com/a answered 403 Forbidden (rate limit) and asked to wait 37 s",
    );
    assert_eq!((ran.count("fetch"), ran.took.as_secs()), (8, 7 * 37));
    let ran = fails_with(limited(3600), 100).await;
    ran.failed_before_a_build(
        "E133 https://github.com/a answered 403 Forbidden (rate limit) and asked to wait 3600 s",
    );
    assert_eq!((ran.count("fetch"), ran.took.as_secs()), (1, 0), "the boot has ten minutes");
}

#[tokio::test(start_paused = true)]
async fn fault_21_a_server_error_is_tried_eight_times() {
    let ran = fails_with(server("503 Service Unavailable", None), 100).await;
    ran.failed_before_a_build("E133 https://github.com/a answered 503 Service Unavailable");
    assert_eq!(ran.count("fetch"), 8);
}

#[tokio::test(start_paused = true)]
async fn fault_22_a_refused_redirect_is_not_tried_again() {
    let refused = FetchError::Redirect {
        url: "https://host/a".into(),
        problem: "it leads from https to http://host".into(),
    };
    let ran = fails_with(refused, 100).await;
    ran.failed_before_a_build(
        "E134 a redirect of https://host/a was refused: it leads from https to http://host",
    );
    assert_eq!(ran.count("fetch"), 1);
}

#[tokio::test(start_paused = true)]
async fn fault_23_a_cut_archive_is_fetched_five_times_and_never_built() {
    let whole = Plan::default().archive;
    let ran = play(Plan { archive: whole[..whole.len() / 2].to_vec(), ..Plan::default() }, LONG).await;
    let (reason, _) = ran.failure();
    assert!(reason.starts_with("E138 the archive is cut off"), "{reason}");
    assert_eq!((ran.count("fetch"), ran.find("build completes"), ran.find("create")), (5, None, None));
    assert_eq!((ran.exit, ran.took.as_secs()), (Exit::Permanent, 2 + 4 + 8 + 16));
}

#[tokio::test(start_paused = true)]
async fn a_private_github_archive_waits_for_the_token_in_the_config() {
    let plan = Plan {
        user_data: PRIVATE.to_owned(),
        config: Ok(vec![("FOO", "1"), ("ADF_GITHUB_TOKEN", "ghp_1")]),
        config_takes: Duration::from_secs(30),
        ..Plan::default()
    };
    let ran = play(plan, A_WHILE).await;
    let fetched = ran.at("fetch https://github.com/acme/web/archive/refs/tags/v1.tar.gz with ghp_1");
    assert!(ran.at("config web v1") < fetched);
    assert_eq!((ran.count("config web v1"), ran.count("Continue")), (1, 1), "the config is read once");
    assert!(ran.calls[ran.at("create")].ends_with("FOO=1 APP=web RELEASE=v1"), "the token stays outside");
}

#[tokio::test(start_paused = true)]
async fn attack_a06_a_fetch_from_elsewhere_gets_no_token_and_waits_for_nothing() {
    let plan = Plan {
        config: Ok(vec![("ADF_GITHUB_TOKEN", "ghp_1")]),
        config_takes: Duration::from_secs(30),
        ..Plan::default()
    };
    let ran = play(plan, A_WHILE).await;
    assert_eq!(ran.calls[ran.at("fetch")], "fetch s3://releases/web-v1.tar.gz");
    assert!(ran.at("build completes") < ran.at("config web v1"));
}
