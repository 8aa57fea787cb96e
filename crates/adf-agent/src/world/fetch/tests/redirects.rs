//! Where redirects lead, and what is shown on the way (fault 22, attacks A5 and A6).

use super::server::{Seen, Server, VALID, answer, redirect};
use super::{TOKEN, body, http, open, open_with_token};
use crate::failure::{Fault as _, Kind};

const NAMES: [&str; 4] = ["github.com", "codeload.github.com", "evil.example", "host.example"];

async fn server(script: impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static) -> Server {
    Server::start(&NAMES, VALID, script).await
}

#[tokio::test]
async fn a_github_archive_is_followed_to_where_it_is() {
    let server = server(|request| match request.url().as_str() {
        "https://github.com/acme/web/archive/refs/tags/v1.tar.gz" => {
            redirect("https://codeload.github.com/acme/web/tar.gz/refs/tags/v1")
        }
        "https://codeload.github.com/acme/web/tar.gz/refs/tags/v1" => answer("200 OK", &[], b"archive"),
        _ => answer("404 Not Found", &[], b""),
    })
    .await;
    let http = http(&server, &NAMES, &[]);
    let got = open(&http, "https://github.com/acme/web/archive/refs/tags/v1.tar.gz").await.expect("found");
    assert_eq!(body(got).await.expect("whole"), b"archive");
    assert!(server.seen().iter().all(|request| request.header("authorization").is_none()));
}

#[tokio::test]
async fn attack_a06_the_token_is_shown_to_github_only_at_every_hop() {
    let server = server(|request| match request.url().as_str() {
        "https://github.com/a" => redirect("https://evil.example/b"),
        "https://evil.example/b" => redirect("https://github.com/c"),
        "https://github.com/c" => redirect("https://codeload.github.com/d?token=x"),
        _ => answer("200 OK", &[], b"archive"),
    })
    .await;
    let http = http(&server, &NAMES, &[]);
    let got = open_with_token(&http, "https://github.com/a").await.expect("found");
    body(got).await.expect("whole");
    let shown: Vec<_> = server
        .seen()
        .iter()
        .map(|request| (request.url(), request.header("authorization").map(str::to_owned)))
        .collect();
    let token = Some(format!("Bearer {TOKEN}"));
    assert_eq!(
        shown,
        [
            ("https://github.com/a".to_owned(), token.clone()),
            ("https://evil.example/b".to_owned(), None),
            ("https://github.com/c".to_owned(), token.clone()),
            ("https://codeload.github.com/d?token=x".to_owned(), token),
        ]
    );
}

#[tokio::test]
async fn attack_a06_a_redirect_to_plain_http_is_not_followed() {
    let server = server(|_| redirect("http://github.com/a")).await;
    let error = open_with_token(&http(&server, &NAMES, &[]), "https://github.com/a").await.expect_err("http");
    assert_eq!(
        error.to_string(),
        "E134 a redirect of https://github.com/a was refused: it leads from https to http://github.com"
    );
    assert_eq!(error.kind(), Kind::Permanent);
    assert_eq!(server.urls(), ["https://github.com/a"], "nothing was asked in clear");
}

#[tokio::test]
async fn fault_22_a_redirect_loop_ends_after_five() {
    let server = server(|_| redirect("/again?token=hunter2")).await;
    let error = open(&http(&server, &NAMES, &[]), "https://host.example/a").await.expect_err("a loop");
    assert_eq!(
        error.to_string(),
        "E134 a redirect of https://host.example/a was refused: more than 5 of them"
    );
    assert_eq!((error.kind(), server.seen().len()), (Kind::Permanent, 6));
}

#[tokio::test]
async fn fault_22_a_redirect_without_a_location_is_refused_without_its_secrets() {
    let server = server(|request| match request.path() {
        "/a" => redirect("/b?token=hunter2"),
        _ => answer("302 Found", &[], b""),
    })
    .await;
    let error = open(&http(&server, &NAMES, &[]), "https://host.example/a").await.expect_err("nowhere");
    let text = error.to_string();
    assert!(text.ends_with("was refused: 302 Found without a location"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[tokio::test]
async fn attack_a05_a_name_that_leads_to_metadata_is_not_asked() {
    let server = server(|_| redirect("https://metadata.example/latest/api/token")).await;
    let http = http(
        &server,
        &NAMES,
        &[("metadata.example", &["169.254.169.254"]), ("v6.example", &["fd00:ec2::254 fe80::1"])],
    );
    let error = open(&http, "https://host.example/a").await.expect_err("metadata");
    assert_eq!(
        error.to_string(),
        "E134 metadata.example was not fetched from: it resolves to 169.254.169.254, a link-local address, where instance metadata is"
    );
    assert_eq!(error.kind(), Kind::Permanent);
    let error = open(&http, "https://v6.example/a").await.expect_err("metadata").to_string();
    assert!(error.starts_with("E134 v6.example was not fetched from: it resolves to "), "{error}");
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn attack_a05_a_name_that_changes_its_mind_gains_nothing() {
    let server = Server::start(&["rebind.example"], VALID, |_| answer("200 OK", &[], b"archive")).await;
    let answers = ["169.254.169.254 here", "169.254.169.254"];
    let http = http(&server, &[], &[("rebind.example", &answers)]);
    let opened = open(&http, "https://rebind.example/a").await.expect("the good one of both addresses");
    assert_eq!(body(opened).await.expect("whole"), b"archive");
    let error = open(&http, "https://rebind.example/a").await.expect_err("the second lookup");
    assert!(error.to_string().contains("it resolves to 169.254.169.254"), "{error}");
    assert_eq!(server.seen().len(), 1);
}
