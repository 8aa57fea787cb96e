//! The S3 bucket that release archives go to.

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

    /// Uploads an archive, replacing what an interrupted upload left under the same key.
    pub async fn upload(&self, bucket: &str, key: &str, archive: Vec<u8>) -> Result<(), AwsError> {
        self.s3
            .put_object()
            .bucket(bucket)
            .key(key)
            .content_type("application/gzip")
            .body(ByteStream::from(archive))
            .send()
            .await
            .map_err(failed("PutObject", format!("s3://{bucket}/{key}")))?;
        Ok(())
    }
}
