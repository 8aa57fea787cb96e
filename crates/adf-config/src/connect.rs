//! How the tools of ADF reach AWS.
//!
//! Only the standard places are asked for region, credentials and endpoint, so whatever points the AWS CLI
//! at an account (or at adf-local) points ADF there as well. Region and credentials are settled before the
//! first call, because the SDK would otherwise report a missing one as a failed request.

use std::time::Duration;

use adf_store::{Store, Tables};
use aws_config::meta::region::RegionProviderChain;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::ProvideCredentials;

/// Time for TCP and TLS. An endpoint of AWS answers in a tenth of it; a firewall that drops never does.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// Time from a sent request to the first byte of its answer. The slowest calls ADF makes take some seconds.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// Four attempts, with the SDK's own delays of up to 1, 2 and 4 s between them: an AWS that refuses the
/// connection is told after about 4 s, one whose packets are dropped within 20 s.
const ATTEMPTS: u32 = 4;

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error(
        "no region is set; looked at --region, adf.toml, AWS_REGION, AWS_DEFAULT_REGION, the AWS profile and instance metadata"
    )]
    NoRegion,
    #[error(
        "no usable AWS credentials; looked at the environment, the AWS profile, SSO and instance metadata"
    )]
    NoCredentials(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Settles region, credentials and endpoint. `region` wins over every other place.
pub async fn connect(region: Option<&str>) -> Result<SdkConfig, ConnectError> {
    let regions =
        RegionProviderChain::first_try(region.map(|r| Region::new(r.to_owned()))).or_default_provider();
    let region = regions.region().await.ok_or(ConnectError::NoRegion)?;
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build();
    let config = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .timeout_config(timeouts)
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .load()
        .await;
    let Some(provider) = config.credentials_provider() else {
        return Err(ConnectError::NoCredentials("no provider is configured".into()));
    };
    provider.provide_credentials().await.map_err(|e| ConnectError::NoCredentials(Box::new(e)))?;
    Ok(config)
}

/// The store in the tables that every part of ADF uses unless told otherwise. It retries like every other
/// client of an operator's tool; [`Store::connect`] would have a human wait for half a minute to learn that
/// the network is down.
pub fn store(config: &SdkConfig) -> Store {
    Store::new(config, Tables::default())
}
