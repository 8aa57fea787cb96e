//! S3 in the process, with the real SDK: the bytes that go in are the bytes that come out.

use adf_local::cloud::Cloud;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use jiff::Timestamp;

async fn bucket() -> Client {
    let client = Client::new(&Cloud::new("us-east-1", Timestamp::UNIX_EPOCH).sdk_config());
    client.create_bucket().bucket("releases").send().await.expect("the bucket is made");
    client
}

/// Bytes that hold chunk sizes and line ends themselves.
fn archive() -> Vec<u8> {
    (0..300_000_u32).flat_map(|n| [b'\r', b'\n', n.to_le_bytes()[0], n.to_le_bytes()[1], b'0']).collect()
}

async fn read(client: &Client, key: &str) -> Vec<u8> {
    let object = client.get_object().bucket("releases").key(key).send().await.expect("the object is there");
    assert_eq!(object.content_encoding(), None);
    object.body.collect().await.expect("the whole body").into_bytes().to_vec()
}

#[tokio::test]
async fn a_body_in_memory_comes_back_exactly() {
    let client = bucket().await;
    let put = client.put_object().bucket("releases").key("web/v 42+.tar.gz").body(archive().into());
    put.send().await.expect("written");
    assert_eq!(read(&client, "web/v 42+.tar.gz").await, archive());
}

#[tokio::test]
async fn a_streamed_file_comes_back_exactly() {
    let client = bucket().await;
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), archive()).expect("written");
    let body = ByteStream::from_path(file.path()).await.expect("readable");
    client.put_object().bucket("releases").key("a").body(body).send().await.expect("written");
    assert_eq!(read(&client, "a").await, archive());
}

#[tokio::test]
async fn an_empty_body_is_an_empty_object() {
    let client = bucket().await;
    let put = client.put_object().bucket("releases").key("empty").body(ByteStream::new(SdkBody::empty()));
    put.send().await.expect("written");
    assert!(read(&client, "empty").await.is_empty());
}

#[tokio::test]
async fn a_missing_key_is_no_such_key() {
    let error =
        bucket().await.get_object().bucket("releases").key("none").send().await.expect_err("not there");
    assert!(error.into_service_error().is_no_such_key());
}
