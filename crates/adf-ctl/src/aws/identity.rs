//! Who we are to AWS.

use super::error::{failed, incomplete};
use super::{Aws, AwsError};

impl Aws {
    /// The caller's ARN, which becomes the owner of locks, deploys and releases.
    pub async fn identity(&self) -> Result<String, AwsError> {
        let answer = self
            .sts
            .get_caller_identity()
            .send()
            .await
            .map_err(failed("GetCallerIdentity", "of these credentials"))?;
        answer.arn.ok_or_else(|| incomplete("GetCallerIdentity", "of these credentials", "the ARN"))
    }
}
