//! The S3 bucket that release archives go to.

use adf_types::Digest;
use aws_config::SdkConfig;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::operation::head_bucket::HeadBucketError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};

use super::Aws;
use super::create::Found;
use super::error::{AwsError, failed};

/// S3 knows this region by the absence of a location constraint (`CreateBucket`, S3 API reference).
const HOME_REGION: &str = "us-east-1";

/// A client whose requests may last as long as they move: an archive of 1 GB on a slow line takes minutes.
/// The SDK's own guard against stalled streams stays on. A custom endpoint is addressed by path, because
/// nothing resolves `bucket.127.0.0.1`.
pub(super) fn client(sdk: &SdkConfig) -> aws_sdk_s3::Client {
    let connect = sdk.timeout_config().and_then(TimeoutConfig::connect_timeout);
    let mut timeouts = TimeoutConfig::builder().disable_read_timeout();
    timeouts.set_connect_timeout(connect);
    let config = aws_sdk_s3::config::Builder::from(sdk)
        .timeout_config(timeouts.build())
        .force_path_style(sdk.endpoint_url().is_some())
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

impl Aws {
    /// Makes the bucket, closed to the public (S3's default since 2023), unless it is there.
    pub async fn ensure_bucket(&self, bucket: &str) -> Result<Found, AwsError> {
        let about = format!("bucket {bucket}");
        let head = self.s3.head_bucket().bucket(bucket).send().await;
        match head {
            Ok(_) => return Ok(Found::Found),
            Err(e) if e.as_service_error().is_some_and(HeadBucketError::is_not_found) => {}
            Err(e) => return Err(failed("HeadBucket", about)(e)),
        }
        let region = self.s3.config().region().map(ToString::to_string).filter(|r| r != HOME_REGION);
        let location = region.map(|r| {
            let constraint = BucketLocationConstraint::from(r.as_str());
            CreateBucketConfiguration::builder().location_constraint(constraint).build()
        });
        self.s3
            .create_bucket()
            .bucket(bucket)
            .set_create_bucket_configuration(location)
            .send()
            .await
            .map_err(failed("CreateBucket", about))?;
        Ok(Found::Created)
    }

    /// Uploads an archive, replacing what an interrupted upload left under the same key. Its digest goes with it, so that
    /// another object under the key is told from it without a download.
    pub async fn upload(
        &self,
        bucket: &str,
        key: &str,
        archive: Vec<u8>,
        digest: Option<&Digest>,
    ) -> Result<(), AwsError> {
        let put = self.s3.put_object().bucket(bucket).key(key).content_type("application/gzip");
        let put = match digest {
            Some(digest) => put.metadata(DIGEST, digest.to_string()),
            None => put,
        };
        put.body(ByteStream::from(archive))
            .send()
            .await
            .map_err(failed("PutObject", format!("s3://{bucket}/{key}")))?;
        Ok(())
    }

    /// Whether the archive is there, without downloading it.
    pub async fn archive(&self, bucket: &str, key: &str) -> Result<ArchiveState, AwsError> {
        let head = self.s3.head_object().bucket(bucket).key(key).send().await;
        let error = match head {
            Ok(found) => {
                let bytes = found.content_length.and_then(|n| u64::try_from(n).ok()).unwrap_or_default();
                let digest = found.metadata.unwrap_or_default().remove(DIGEST);
                return Ok(ArchiveState::There { bytes, digest });
            }
            Err(error) => error,
        };
        // The answer to a HEAD has no body, so only its status tells.
        match error.raw_response().map(|response| response.status().as_u16()) {
            Some(404) => Ok(ArchiveState::Gone),
            Some(403) => Ok(ArchiveState::Hidden),
            _ => Err(failed("HeadObject", format!("s3://{bucket}/{key}"))(error)),
        }
    }
}

/// User metadata of an archive: its digest, as it is on record.
const DIGEST: &str = "adf-digest";

/// An archive as S3 shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArchiveState {
    There {
        bytes: u64,
        /// What it was uploaded with; absent where something else put it there.
        digest: Option<String>,
    },
    Gone,
    /// S3 says neither: who may not list a bucket is not told what it lacks ("Permissions" of `HeadObject`).
    Hidden,
}
