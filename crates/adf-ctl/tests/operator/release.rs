//! Making releases from a git repository, against the S3 and DynamoDB that adf-local plays.

use crate::common::{self, Repo, context};
use adf_config::report::Explain;
use adf_ctl::CtlError;
use adf_ctl::ExitCode;
use adf_ctl::context::Context;
use adf_ctl::release::{Created, How, ReleaseError, Request, create};
use adf_types::{Digest, ReleaseUrl};
use jiff::Timestamp;

fn from(repo: &Repo) -> Request {
    Request::Git { folder: repo.path().to_owned(), bucket: "releases".to_owned() }
}

async fn make(context: &Context, name: &str, request: Request) -> Result<Created, CtlError> {
    let app = &context.settings.app().expect("web").app;
    let name = name.parse().expect("a release name");
    create(&context.aws, &context.store, context.printer, (app, &name), request, Timestamp::UNIX_EPOCH).await
}

#[tokio::test(start_paused = true)]
async fn a_tag_becomes_an_uploaded_archive_and_a_record() {
    let repo = Repo::new();
    let (cloud, context) = context(repo.path()).await;
    let made = make(&context, "v1", from(&repo)).await.expect("v1 is fine");
    assert_eq!(made.how, How::Created);
    let record = made.record;
    assert_eq!(record.url.to_string(), "s3://releases/web/v1.tar.gz");
    assert_eq!(record.commit.as_deref(), Some(repo.git(&["rev-parse", "v1"]).as_str()));
    assert_eq!(record.config.required[0].as_str(), "FOO");
    let app = &context.settings.app().expect("web").app;
    assert_eq!(context.store.release(app, &record.release).await.expect("readable"), Some(record.clone()));
    let stored = download(&cloud, "web/v1.tar.gz").await;
    assert_eq!(Some(Digest::of_bytes(&stored)), record.digest);
    assert_eq!(entries(&stored), ["web-v1/Dockerfile", "web-v1/adf.toml", "web-v1/src/app.txt"]);
}

#[tokio::test(start_paused = true)]
async fn the_same_tree_made_again_is_already_made() {
    let repo = Repo::new();
    let (_cloud, context) = context(repo.path()).await;
    let first = make(&context, "v1", from(&repo)).await.expect("v1 is fine");
    let again = make(&context, "v1", from(&repo)).await.expect("nothing changed");
    assert_eq!(again.how, How::AlreadyMade);
    assert_eq!(again.record, first.record);
}

#[tokio::test(start_paused = true)]
async fn a_tag_that_was_moved_is_refused_and_nothing_is_overwritten() {
    let repo = Repo::new();
    let (cloud, context) = context(repo.path()).await;
    make(&context, "v1", from(&repo)).await.expect("v1 is fine");
    let before = download(&cloud, "web/v1.tar.gz").await;
    repo.write("src/app.txt", "other\n");
    repo.git(&["tag", "--delete", "v1"]);
    repo.commit("v1");
    let error = make(&context, "v1", from(&repo)).await.expect_err("v1 is another tree now");
    assert!(matches!(error, CtlError::Release(ReleaseError::Exists { .. })), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Refused);
    assert_eq!(download(&cloud, "web/v1.tar.gz").await, before);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_tag_lists_the_recent_ones() {
    let repo = Repo::new();
    let (_cloud, context) = context(repo.path()).await;
    let error = make(&context, "v9", from(&repo)).await.expect_err("no v9");
    assert!(error.to_string().contains("recent tags: v1"), "{error}");
    assert_eq!(error.exit_code(), ExitCode::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_folder_that_is_no_repository_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_cloud, context) = context(folder.path()).await;
    for folder in [folder.path().to_owned(), folder.path().join("missing")] {
        let request = Request::Git { folder, bucket: "releases".to_owned() };
        let error = make(&context, "v1", request).await.expect_err("no repository");
        assert!(matches!(error, CtlError::Release(ReleaseError::NotARepository { .. })), "{error}");
        assert_eq!(error.exit_code(), ExitCode::Usage);
    }
}

#[tokio::test(start_paused = true)]
async fn a_tree_without_dockerfile_is_refused_before_anything_is_uploaded() {
    let repo = Repo::new();
    let (cloud, context) = context(repo.path()).await;
    repo.remove("Dockerfile");
    repo.write("src/Dockerfile", "FROM scratch\n");
    repo.commit("v2");
    let error = make(&context, "v2", from(&repo)).await.expect_err("no Dockerfile at the top");
    assert!(error.to_string().starts_with("E108 no Dockerfile at the top of v2"), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Usage);
    let key = s3(&cloud).head_object().bucket("releases").key("web/v2.tar.gz").send().await;
    assert!(key.is_err(), "nothing is uploaded");
}

#[tokio::test(start_paused = true)]
async fn the_adf_toml_of_the_tag_counts_and_not_the_one_in_the_folder() {
    let repo = Repo::new();
    let (_cloud, context) = context(repo.path()).await;
    repo.write("adf.toml", "[run]\nprot = 80\n");
    repo.commit("v2");
    repo.write("adf.toml", common::ADF_TOML);
    let error = make(&context, "v2", from(&repo)).await.expect_err("the tag's file is misspelt");
    assert!(matches!(error, CtlError::Release(ReleaseError::AdfToml { .. })), "{error}");
    assert_eq!(error.exit_code(), ExitCode::Usage);
}

#[tokio::test(start_paused = true)]
async fn a_missing_bucket_says_what_makes_it() {
    let repo = Repo::new();
    let (_cloud, context) = context(repo.path()).await;
    let request = Request::Git { folder: repo.path().to_owned(), bucket: "elsewhere".to_owned() };
    let error = make(&context, "v1", request).await.expect_err("no such bucket");
    assert_eq!(error.exit_code(), ExitCode::NotFound);
    assert!(error.hint().expect("a hint").contains("adf-ctl init"));
    let app = &context.settings.app().expect("web").app;
    assert_eq!(context.store.releases(app).await.expect("readable"), [], "no record without an archive");
}

#[tokio::test(start_paused = true)]
async fn a_url_is_recorded_once_and_another_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_cloud, context) = context(folder.path()).await;
    let url = |text: &str| text.parse::<ReleaseUrl>().expect("a URL");
    let request = |text: &str, digest| Request::Url { url: url(text), digest };
    let there = "https://github.com/acme/web/archive/refs/tags/v1.tar.gz";
    assert_eq!(make(&context, "v1", request(there, None)).await.expect("new").how, How::Created);
    assert_eq!(make(&context, "v1", request(there, None)).await.expect("same").how, How::AlreadyMade);
    let other = make(&context, "v1", request("https://example.org/v1.tar.gz", None)).await;
    assert_eq!(other.expect_err("another URL").exit_code(), ExitCode::Refused);
    let digest = Some(Digest::of_bytes(b"an archive"));
    let digested = make(&context, "v1", request(there, digest)).await;
    assert_eq!(digested.expect_err("a digest says more than was recorded").exit_code(), ExitCode::Refused);
}

fn s3(cloud: &adf_local::cloud::Cloud) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(&cloud.sdk_config()).force_path_style(true).build();
    aws_sdk_s3::Client::from_conf(config)
}

async fn download(cloud: &adf_local::cloud::Cloud, key: &str) -> Vec<u8> {
    let object = s3(cloud).get_object().bucket("releases").key(key).send().await.expect("uploaded");
    object.body.collect().await.expect("the whole body").to_vec()
}

fn entries(archive: &[u8]) -> Vec<String> {
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let entries = tar.entries().expect("a tar stream").map(|e| e.expect("an entry"));
    let files = entries.filter(|e| e.header().entry_type().is_file());
    files.map(|e| e.path().expect("a path").display().to_string()).collect()
}
