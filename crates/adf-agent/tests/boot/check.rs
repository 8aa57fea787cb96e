//! `adf-agent check`: what a boot would run, found out without changing anything.

use adf_agent::world::FetchError;
use adf_types::{Digest, ReleaseRecord};

use crate::fakes::{Plan, check};

fn record(digest: &Digest) -> ReleaseRecord {
    ReleaseRecord {
        app: "web".parse().expect("a name"),
        release: "v1".parse().expect("a name"),
        url: "s3://releases/web-v1.tar.gz".parse().expect("a URL"),
        digest: Some(digest.clone()),
        tree: None,
        commit: None,
        config: adf_types::ConfigRules::default(),
        created_at: "2026-01-01T00:00:00Z".parse().expect("a time"),
        created_by: "ann".to_owned(),
    }
}

#[tokio::test(start_paused = true)]
async fn it_says_what_would_run_and_changes_nothing() {
    let digest = Digest::of_bytes(b"web");
    let (lines, calls) = check(Plan { record: Some(record(&digest)), ..Plan::default() }).await;
    let lines = lines.expect("it would run");
    assert_eq!(
        lines[..5],
        [
            "instance  i-0abc in us-east-1",
            "app       web",
            "release   v1",
            "url       s3://releases/web-v1.tar.gz",
            &format!("digest    {digest}"),
        ]
    );
    assert!(lines[5].starts_with("config    1 names, hash ") && !lines[5].contains("hunter2"), "{lines:?}");
    let image = format!("image     adf/web:v1-{} would be built", digest.short());
    assert_eq!(lines[6..], ["archive   can be read".to_owned(), image]);
    let reads = ["imds ", "release record", "config ", "fetch ", "docker ping"];
    for call in calls {
        assert!(reads.iter().any(|read| call.starts_with(read)), "{call} is more than a look");
    }
}

#[tokio::test(start_paused = true)]
async fn it_says_what_is_wrong_as_a_boot_would() {
    let branch = Plan {
        user_data: "RELEASE_URL=https://github.com/acme/web/archive/main.tar.gz\n".to_owned(),
        ..Plan::default()
    };
    assert!(check(branch).await.0.expect_err("a branch").starts_with("E126 "));
    let missing = FetchError::NotFound {
        url: "s3://releases/web-v1.tar.gz".to_owned(),
        status: "404 NoSuchKey".to_owned(),
        advice: "check the key",
    };
    let (told, calls) = check(Plan { opens: [missing].into(), ..Plan::default() }).await;
    assert!(told.expect_err("no archive").starts_with("E132 "));
    assert_eq!(calls.iter().filter(|call| call.starts_with("fetch ")).count(), 1, "tried once");
}
