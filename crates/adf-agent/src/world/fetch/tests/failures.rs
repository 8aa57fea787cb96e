//! Servers that do not answer, and servers that do not answer well (faults 18 to 21).

use jiff::Timestamp;
use tokio::net::TcpListener;

use super::server::{Server, VALID, Years, answer};
use super::{http, open, open_with_token};
use crate::failure::{Fault as _, Kind};

const NAMES: [&str; 2] = ["github.com", "host.example"];

/// What opening `url` fails with when the server gives this answer.
async fn refused(url: &str, status: &str, more: &[&str]) -> crate::world::FetchError {
    let answer = answer(status, more, b"");
    let server = Server::start(&NAMES, VALID, move |_| answer.clone()).await;
    open(&http(&server, &NAMES, &[]), url).await.expect_err(status)
}

#[tokio::test]
async fn fault_18_a_name_without_an_address_is_told_as_such() {
    let server = Server::start(&NAMES, VALID, |_| answer("200 OK", &[], b"")).await;
    let error =
        open(&http(&server, &[], &[]), "https://host.example/a?token=hunter2").await.expect_err("no name");
    assert_eq!(
        error.to_string(),
        "E130 could not connect to host.example: DNS: no such host; check the instance's route and security group"
    );
    assert_eq!(error.kind(), Kind::Transient);
}

#[tokio::test]
async fn fault_18_a_port_where_nobody_listens_is_told_as_such() {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("bound").port();
    let server = Server::start(&NAMES, VALID, |_| answer("200 OK", &[], b"")).await;
    let url = format!("https://host.example:{free}/a");
    let error = open(&http(&server, &NAMES, &[]), &url).await.expect_err("nobody");
    assert!(error.to_string().starts_with("E130 could not connect to host.example: connect: "), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
    assert_eq!(error.kind(), Kind::Transient);
}

#[tokio::test(start_paused = true)]
async fn fault_18_a_server_that_never_finishes_the_handshake_is_given_up_after_ten_seconds() {
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("bound").port();
    let server = Server::start(&NAMES, VALID, |_| answer("200 OK", &[], b"")).await;
    let client = http(&server, &NAMES, &[]);
    let began = tokio::time::Instant::now();
    let error = open(&client, &format!("https://host.example:{port}/a")).await.expect_err("silent");
    assert!(
        error.to_string().starts_with("E130 could not connect to host.example: connect: timed out"),
        "{error}"
    );
    assert_eq!((error.kind(), began.elapsed().as_secs()), (Kind::Transient, 10));
    drop(silent);
}

#[tokio::test]
async fn fault_18_a_server_that_does_not_speak_tls_is_told_as_such() {
    let plain = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = plain.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = plain.accept().await {
            let _ =
                tokio::io::AsyncWriteExt::write_all(&mut stream, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let server = Server::start(&NAMES, VALID, |_| answer("200 OK", &[], b"")).await;
    let url = format!("https://host.example:{port}/a");
    let error = open(&http(&server, &NAMES, &[]), &url).await.expect_err("plain");
    assert!(
        error.to_string().starts_with("E130 could not connect to host.example: TLS handshake: "),
        "{error}"
    );
    assert_eq!(error.kind(), Kind::Transient);
}

#[tokio::test]
async fn fault_19_an_expired_certificate_is_final_when_the_clocks_agree() {
    let server = Server::start(&NAMES, Years(2020, 2021), |_| {
        let now = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&Timestamp::now());
        answer("200 OK", &[&format!("Date: {}", now.expect("a date"))], b"")
    })
    .await;
    let error = open(&http(&server, &NAMES, &[]), "https://host.example/a").await.expect_err("expired");
    let text = error.to_string();
    assert!(
        text.starts_with(
            "E131 the certificate of host.example was refused: it expired 2021-01-01T00:00:00Z (this host's clock says 20"
        ),
        "{text}"
    );
    assert_eq!(error.kind(), Kind::Permanent);
    assert_eq!(server.urls(), ["http://host.example/"], "only the time was asked for");
}

#[tokio::test]
async fn fault_19_a_certificate_that_is_fine_by_the_servers_clock_waits_for_this_hosts() {
    for (years, date, off) in [
        (Years(2020, 2021), "Wed, 01 Jul 2020 12:00:00 GMT", "days ahead of host.example's"),
        (Years(2080, 2090), "Thu, 01 Jan 2082 12:00:00 GMT", "days behind host.example's"),
    ] {
        let server =
            Server::start(&NAMES, years, move |_| answer("200 OK", &[&format!("Date: {date}")], b"")).await;
        let error = open(&http(&server, &NAMES, &[]), "https://host.example/a").await.expect_err("the clock");
        let text = error.to_string();
        assert!(text.starts_with("E160 this host's clock is ") && text.contains(off), "{text}");
        assert!(text.ends_with("waiting for time sync, check: timedatectl"), "{text}");
        assert_eq!(error.kind(), Kind::Transient);
        let waits = error.retry_after().expect("a pause").as_secs() * 7;
        assert!((115..=120).contains(&waits), "{waits} s in eight tries");
    }
}

#[tokio::test]
async fn fault_19_a_certificate_of_nobody_or_of_another_is_final() {
    let server = Server::start(&NAMES, VALID, |_| answer("200 OK", &[], b"")).await;
    let other = Server::start(&NAMES, VALID, |_| answer("200 OK", &[], b"")).await;
    let url = format!("https://host.example:{}/a", other.address.port());
    let error = open(&http(&server, &NAMES, &[]), &url).await.expect_err("another root");
    assert!(
        error.to_string().contains("E131 the certificate of host.example was refused: nobody trusted"),
        "{error}"
    );
    assert_eq!(error.kind(), Kind::Permanent);
    let error =
        open(&http(&server, &["third.example"], &[]), "https://third.example/a").await.expect_err("a name");
    assert!(error.to_string().contains("E131 the certificate of third.example was refused: "), "{error}");
    assert!(error.to_string().contains("not valid for name"), "{error}");
    assert_eq!(error.kind(), Kind::Permanent);
}

#[tokio::test]
async fn fault_20_what_is_not_there_or_not_allowed_is_final_and_says_what_to_check() {
    for status in ["404 Not Found", "401 Unauthorized", "403 Forbidden", "410 Gone"] {
        let error = refused("https://host.example/a?token=hunter2", status, &[]).await;
        let text = error.to_string();
        assert_eq!(
            text.split(" at ").next(),
            Some(&*format!("E132 the release was not found or may not be read ({status})"))
        );
        assert!(
            text.ends_with("check the tag or commit and the access rights") && !text.contains("hunter2"),
            "{text}"
        );
        assert_eq!(error.kind(), Kind::Permanent);
    }
    let private =
        refused("https://github.com/acme/web/archive/v1.tar.gz", "404 Not Found", &[]).await.to_string();
    assert!(
        private
            .ends_with("a private repository needs a token: the secret ADF_GITHUB_TOKEN in the config table")
    );
}

#[tokio::test]
async fn fault_20_a_token_that_does_not_help_is_named_and_not_shown() {
    for (status, advice) in [
        ("401 Unauthorized", "the token in ADF_GITHUB_TOKEN is not valid (any more)"),
        ("404 Not Found", "that the token in ADF_GITHUB_TOKEN may read this repository's contents"),
    ] {
        let server = Server::start(&NAMES, VALID, move |_| answer(status, &[], b"")).await;
        let opened = open_with_token(&http(&server, &NAMES, &[]), "https://github.com/a").await;
        let text = opened.expect_err(status).to_string();
        assert!(text.ends_with(advice) && !text.contains(super::TOKEN), "{text}");
    }
}

#[tokio::test]
async fn fault_20_a_rate_limit_waits_as_long_as_it_was_told() {
    let limited = [
        ("403 Forbidden", vec!["Retry-After: 37"]),
        ("429 Too Many Requests", vec!["Retry-After: 37"]),
        (
            "403 Forbidden",
            vec![
                "Date: Thu, 01 Jan 2026 12:00:00 GMT",
                "X-RateLimit-Remaining: 0",
                "X-RateLimit-Reset: 1767268837",
            ],
        ),
    ];
    for (status, headers) in limited {
        let error = refused("https://github.com/a", status, &headers).await;
        assert_eq!(
            error.to_string(),
            format!("E133 https://github.com/a answered {status} (rate limit) and asked to wait 37 s")
        );
        assert_eq!((error.kind(), error.retry_after().map(|w| w.as_secs())), (Kind::Transient, Some(37)));
    }
}

#[tokio::test]
async fn fault_21_a_server_error_is_tried_again() {
    for status in ["500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable"] {
        let error = refused("https://host.example/a", status, &[]).await;
        assert_eq!(error.to_string(), format!("E133 https://host.example/a answered {status}"));
        assert_eq!((error.kind(), error.retry_after()), (Kind::Transient, None));
    }
}
