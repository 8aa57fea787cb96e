//! The rest of a file, from servers that can give it and from some that cannot; over HTTP and from S3 (fault 23).

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};

use super::super::s3;
use super::server::{Seen, Server, VALID, answer};
use super::{TOKEN, body, http, open, open_with_token};
use crate::failure::{Fault as _, Kind};

const WHOLE: &[u8] = b"0123456789";
const NAMES: [&str; 2] = ["github.com", "host.example"];

/// The first four bytes of ten to who asks for all; `rest` to who asks for the rest.
fn cut(headers: &[&str], rest: Vec<u8>) -> impl Fn(&Seen) -> Vec<u8> + Send + Sync + 'static {
    let first = answer("200 OK", &[headers, &["Content-Length: 10"]].concat(), &WHOLE[..4]);
    move |request| if request.header("range").is_some() { rest.clone() } else { first.clone() }
}

fn rest() -> Vec<u8> {
    answer("206 Partial Content", &["Content-Range: bytes 4-9/10"], &WHOLE[4..])
}

const STRONG: [&str; 2] = ["ETag: \"v1\"", "Accept-Ranges: bytes"];

#[tokio::test(start_paused = true)]
async fn fault_23_a_cut_download_asks_for_the_rest_of_the_same_file() {
    let server = Server::start(&NAMES, VALID, cut(&STRONG, rest())).await;
    let opened = open_with_token(&http(&server, &NAMES, &[]), "https://github.com/a").await.expect("opened");
    assert_eq!(body(opened).await.expect("whole"), WHOLE);
    let again = &server.seen()[1];
    assert_eq!((again.header("range"), again.header("if-range")), (Some("bytes=4-"), Some("\"v1\"")));
    assert_eq!(again.header("authorization"), Some(&*format!("Bearer {TOKEN}")));
}

#[tokio::test(start_paused = true)]
async fn fault_23_where_the_server_cannot_prove_the_rest_it_is_not_asked() {
    for headers in [
        vec!["ETag: \"v1\""],
        vec!["Accept-Ranges: bytes"],
        vec!["Accept-Ranges: bytes", "ETag: W/\"v1\""],
        vec!["Accept-Ranges: none", "ETag: \"v1\""],
    ] {
        let server = Server::start(&NAMES, VALID, cut(&headers, rest())).await;
        let opened = open(&http(&server, &NAMES, &[]), "https://host.example/a").await.expect("opened");
        let error = body(opened).await.expect_err("cut");
        assert!(
            error
                .to_string()
                .starts_with("E135 the download of https://host.example/a stopped after 4 bytes")
        );
        assert_eq!((error.kind(), server.seen().len()), (Kind::Transient, 1), "{headers:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn fault_23_an_answer_that_is_not_the_rest_is_not_taken_for_it() {
    for (wrong, why) in [
        (answer("200 OK", &[], WHOLE), "the file has changed meanwhile"),
        (answer("206 Partial Content", &["Content-Range: bytes 0-9/10"], WHOLE), "gave bytes 0-9/10"),
        (answer("206 Partial Content", &[], &WHOLE[4..]), "gave nothing"),
        (answer("302 Found", &["Location: /b"], b""), "answered 302 Found to a request for the rest"),
    ] {
        let server = Server::start(&NAMES, VALID, cut(&STRONG, wrong)).await;
        let opened = open(&http(&server, &NAMES, &[]), "https://host.example/a").await.expect("opened");
        let error = body(opened).await.expect_err("not the rest");
        assert!(error.to_string().contains(why), "{error}");
        assert_eq!((error.kind(), server.seen().len()), (Kind::Transient, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn fault_23_a_chunked_body_without_its_end_is_a_cut() {
    let answer = answer("200 OK", &["Transfer-Encoding: chunked"], b"4\r\n0123\r\n");
    let server = Server::start(&NAMES, VALID, move |_| answer.clone()).await;
    let opened = open(&http(&server, &NAMES, &[]), "https://host.example/a").await.expect("opened");
    let error = body(opened).await.expect_err("no end marker").to_string();
    assert!(
        error.starts_with("E135 the download of https://host.example/a stopped after 4 bytes: "),
        "{error}"
    );
}

fn s3_client(server: &Server) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{}", server.address))
        .force_path_style(true)
        .credentials_provider(Credentials::new("AKIATEST", "secret", None, None, "test"))
        .retry_config(aws_sdk_s3::config::retry::RetryConfig::disabled())
        .build();
    Client::from_conf(config)
}

#[tokio::test(start_paused = true)]
async fn fault_23_a_cut_object_goes_on_if_it_is_still_the_same() {
    let server = Server::start(&NAMES, VALID, cut(&STRONG, rest())).await;
    let opened = s3::open(&s3_client(&server), "releases", "web-v1.tar.gz").await.expect("opened");
    assert_eq!(body(opened).await.expect("whole"), WHOLE);
    let again = server.seen().into_iter().find(|r| r.header("range").is_some()).expect("asked for the rest");
    assert_eq!((again.header("range"), again.header("if-match")), (Some("bytes=4-"), Some("\"v1\"")));
}

#[tokio::test(start_paused = true)]
async fn fault_23_an_object_that_was_replaced_is_started_from_the_beginning() {
    let replaced = answer("412 Precondition Failed", &[], b"");
    let server = Server::start(&NAMES, VALID, cut(&STRONG, replaced)).await;
    let opened = s3::open(&s3_client(&server), "releases", "web-v1.tar.gz").await.expect("opened");
    let error = body(opened).await.expect_err("replaced");
    assert_eq!(
        error.to_string(),
        "E135 the download of s3://releases/web-v1.tar.gz stopped after 4 bytes: the object has changed meanwhile"
    );
    assert_eq!(error.kind(), Kind::Transient);
}

#[tokio::test]
async fn fault_20_what_s3_refuses_is_told_with_its_own_code() {
    let xml = |code: &str| format!("<Error><Code>{code}</Code><Message>no</Message></Error>").into_bytes();
    for (status, code, text, kind) in [
        (
            "404 Not Found",
            "NoSuchKey",
            "E132 the release was not found or may not be read (404 NoSuchKey)",
            Kind::Permanent,
        ),
        ("403 Forbidden", "AccessDenied", "the instance's role needs s3:GetObject on it", Kind::Permanent),
        ("301 Moved Permanently", "PermanentRedirect", "the bucket is in another region", Kind::Permanent),
        ("503 Slow Down", "SlowDown", "E133 s3://releases/x answered 503 SlowDown", Kind::Transient),
    ] {
        let answer = answer(status, &[], &xml(code));
        let server = Server::start(&NAMES, VALID, move |_| answer.clone()).await;
        let error = s3::open(&s3_client(&server), "releases", "x").await.expect_err(code);
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(error.kind(), kind, "{error}");
    }
}
