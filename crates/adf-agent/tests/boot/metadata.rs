//! Instance metadata: slow, refusing, absent, and in every form that people put into it.

use std::time::Duration;

use adf_agent::exit::Exit;
use adf_agent::world::ImdsError;

use crate::fakes::{A_WHILE, LONG, Plan, USER_DATA, play};

fn silent() -> ImdsError {
    ImdsError::Unreachable("connection refused".into())
}

/// Nothing was done for anybody: no container, no build, no receipt; a launch hook that is known is abandoned.
async fn refused(plan: Plan, code: &str) {
    let ran = play(plan, LONG).await;
    let (error, _) = ran.last_words();
    assert!(error.starts_with(code), "{error}");
    assert_eq!(ran.exit, Exit::Permanent);
    assert_eq!((ran.find("fetch"), ran.find("create"), ran.find("Continue")), (None, None, None));
    assert_eq!(ran.count("Abandon web adf-launch"), 1);
}

#[tokio::test(start_paused = true)]
async fn fault_11_metadata_that_comes_up_late_is_asked_on_the_documented_schedule() {
    let plan = Plan { imds: std::iter::repeat_with(silent).take(10).collect(), ..Plan::default() };
    let ran = play(plan, Duration::from_mins(2)).await;
    let tenths = |time: &Duration| (time.as_millis() + 50) / 100;
    let asked: Vec<u128> = ran.times("imds meta-data/instance-id").iter().map(tenths).collect();
    assert_eq!(asked, [0, 10, 23, 40, 62, 90, 128, 176, 226, 276, 326], "1, 1.3, 1.69 ... 5 s apart");
    assert_eq!((ran.count("imds token"), ran.count("Continue")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn fault_11_metadata_that_never_answers_is_left_to_systemd_after_four_minutes() {
    let plan = Plan { imds: std::iter::repeat_with(silent).take(1000).collect(), ..Plan::default() };
    let ran = play(plan, LONG).await;
    assert_eq!((ran.exit, ran.took.as_secs()), (Exit::Transient, 240));
    let (error, _) = ran.last_words();
    assert_eq!(
        error,
        "E120 instance metadata not reachable for 240 s; last: instance metadata did not answer: connection refused; \
         on EC2 look at the instance's metadata options"
    );
    assert!(ran.calls.iter().all(|c| c.starts_with("imds")), "{:?}", ran.calls);
}

#[tokio::test(start_paused = true)]
async fn fault_12_an_expired_token_is_renewed_once_and_the_read_repeated() {
    let ran = play(Plan { imds: [ImdsError::TokenExpired].into(), ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("imds token"), ran.count("Continue")), (2, 1));
    let reads = ran.times("imds meta-data/instance-id");
    assert_eq!(reads, [Duration::ZERO, Duration::ZERO], "at once");
}

#[tokio::test(start_paused = true)]
async fn fault_12_a_token_that_expires_while_the_app_serves_changes_nothing() {
    let expire: crate::fakes::Event = Box::new(|plan, _| plan.imds.push_back(ImdsError::TokenExpired));
    let ran =
        play(Plan { events: vec![(Duration::from_secs(33), expire)], ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("imds token"), ran.count("Continue"), ran.exit), (2, 1, Exit::Stopped));
    assert!(ran.receipts.iter().all(|r| !matches!(r.state, adf_types::InstanceState::Unhealthy { .. })));
}

#[tokio::test(start_paused = true)]
async fn fault_13_metadata_that_is_switched_off_is_permanent() {
    let ran = play(Plan { imds: [ImdsError::Refused].into(), ..Plan::default() }, LONG).await;
    assert_eq!((ran.exit, ran.took.as_secs()), (Exit::Permanent, 0));
    assert_eq!(
        ran.last_words().0,
        "E121 instance metadata is switched off or refuses this instance (403); check HttpEndpoint and the hop limit"
    );
}

#[tokio::test(start_paused = true)]
async fn fault_14_without_tags_in_metadata_user_data_alone_decides() {
    let ran = play(Plan::default(), A_WHILE).await;
    assert_eq!(ran.count("Continue"), 1);
    let error = "E122 RELEASE_URL not in user data or tags (instance tags in metadata are off or empty)";
    refused(Plan { user_data: "APP=web\n".into(), ..Plan::default() }, error).await;
    let error = "E122 RELEASE_URL not in user data or tags; add RELEASE_URL=\"https://...\" to the user data";
    refused(Plan { user_data: "APP=web\n".into(), tags: vec![("Name", "x")], ..Plan::default() }, error)
        .await;
}

#[tokio::test(start_paused = true)]
async fn fault_15_user_data_in_another_form_is_named_and_shown_without_its_values() {
    for (raw, error) in [
        (b"".as_slice(), "E122 RELEASE_URL not in user data or tags"),
        (
            b"\x1f\x8b\x08\x00\x00",
            "E123 user data is gzip; ADF reads KEY=\"value\" lines; it starts with: \\x1f\\x8b\\x08",
        ),
        (
            b"\x7fELF\x02\x01\x01\x00",
            "E123 user data is binary; ADF reads KEY=\"value\" lines; it starts with: \\x7fELF\\x02",
        ),
        (
            b"Content-Type: multipart/mixed; boundary=\"hunter2\"\nMIME-Version: 1.0\n",
            "E123 user data is MIME multipart; ADF reads KEY=\"value\" lines; it starts with: Content-Type: multipart/mixed; boundary=\u{2026}",
        ),
        (b"#cloud-config\npassword: hunter2\n", "E123 user data is a cloud-config document"),
    ] {
        let plan = Plan { raw_user_data: Some(raw), ..Plan::default() };
        refused(plan, error).await;
    }
}

#[tokio::test(start_paused = true)]
async fn fault_15_what_is_longer_than_ec2_allows_is_refused_and_a_bom_and_crlf_are_not() {
    let long = format!("{USER_DATA}# {}\n", "x".repeat(16 * 1024));
    refused(Plan { user_data: long, ..Plan::default() }, "E123 user data is longer than 16 KiB").await;
    let windows = format!("\u{feff}{}", USER_DATA.replace('\n', "\r\n"));
    let ran = play(Plan { user_data: windows, ..Plan::default() }, A_WHILE).await;
    assert_eq!(ran.count("Continue"), 1);
}

#[tokio::test(start_paused = true)]
async fn fault_16_a_key_given_twice_names_both_lines() {
    let user_data = format!("{USER_DATA}\n# again\nRELEASE_URL=\"s3://releases/other.tar.gz\"\n");
    refused(
        Plan { user_data, ..Plan::default() },
        "E124 RELEASE_URL is given twice in user data (lines 3 and 6)",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn fault_16_user_data_wins_over_tags_and_the_receipt_says_which_keys_differ() {
    let tags = vec![("RELEASE", "v9"), ("APP", "web"), ("RELEASE_URL", "s3://releases/web-v9.tar.gz")];
    let ran = play(Plan { tags, ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("config web v1"), ran.count("Continue")), (1, 1));
    assert_eq!(
        ran.last().notice.as_deref(),
        Some("W124 RELEASE_URL, RELEASE differ between user data and instance tags; user data is followed")
    );
}
