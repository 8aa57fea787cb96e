//! Who we are to AWS.

use aws_config::SdkConfig;

#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("cannot ask AWS who this is (sts:GetCallerIdentity)")]
    Refused(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("AWS did not say who this is: its answer has no ARN")]
    Nobody,
}

/// The caller's ARN, which every change of config is recorded with.
pub async fn identity(sdk: &SdkConfig) -> Result<String, IdentityError> {
    let answer = aws_sdk_sts::Client::new(sdk).get_caller_identity().send().await;
    let answer = answer.map_err(|error| IdentityError::Refused(Box::new(error)))?;
    answer.arn.ok_or(IdentityError::Nobody)
}
