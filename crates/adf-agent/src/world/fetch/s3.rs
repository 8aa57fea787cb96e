//! Archives in S3, read with the instance's role.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata as _, SdkError};
use futures_util::StreamExt as _;
use tokio_util::io::ReaderStream;

use crate::failure::chain;
use crate::world::{Download, FetchError};

pub(super) async fn open(client: &Client, bucket: &str, key: &str) -> Result<Download, FetchError> {
    let url = format!("s3://{bucket}/{key}");
    let object = client.get_object().bucket(bucket).key(key).send().await.map_err(|error| {
        let status = error.raw_response().map(|r| r.status().as_u16());
        let code =
            error.code().map_or_else(|| status.map_or_else(String::new, |s| s.to_string()), str::to_owned);
        match (&error, status) {
            (SdkError::ServiceError(_), Some(400..=499)) => {
                FetchError::NotFound { url: url.clone(), status: code }
            }
            (SdkError::ServiceError(_), _) => FetchError::Server { url: url.clone(), status: code },
            _ => FetchError::Connect { url: url.clone(), problem: chain(&error) },
        }
    })?;
    let content_type = object.content_type().map(str::to_owned);
    let mut received = 0;
    let body =
        ReaderStream::with_capacity(object.body.into_async_read(), 64 * 1024).map(move |piece| match piece {
            Ok(bytes) => {
                received += bytes.len() as u64;
                Ok(bytes)
            }
            Err(error) => Err(FetchError::Cut { url: url.clone(), received, problem: chain(&error) }),
        });
    Ok(Download { content_type, body: body.boxed() })
}
