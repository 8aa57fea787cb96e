//! IMDSv2 over HTTP. Version 1 is never tried: a token is required for every read.
//!
//! Source: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use reqwest::{Client, StatusCode};

use super::{Imds, ImdsError};

const DEFAULT_ENDPOINT: &str = "http://169.254.169.254";

/// What one call may take: IMDS answers in milliseconds or is not there.
const CALL_LIMIT: Duration = Duration::from_secs(2);

/// How long a token is asked for: one boot.
const TOKEN_SECONDS: &str = "21600";

pub(in crate::world) struct HttpImds {
    endpoint: String,
    client: Client,
}

impl HttpImds {
    pub(in crate::world) fn from_env() -> Self {
        let endpoint = std::env::var("AWS_EC2_METADATA_SERVICE_ENDPOINT").ok().filter(|e| !e.is_empty());
        Self::new(endpoint.as_deref().unwrap_or(DEFAULT_ENDPOINT))
    }

    fn new(endpoint: &str) -> Self {
        let client = Client::builder()
            .no_proxy()
            // Plain http only: the system's root certificates are not read for it.
            .tls_certs_only([])
            .timeout(CALL_LIMIT)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client without options that can fail");
        Self { endpoint: endpoint.trim_end_matches('/').to_owned(), client }
    }
}

#[async_trait]
impl Imds for HttpImds {
    async fn token(&self) -> Result<String, ImdsError> {
        let request = self
            .client
            .put(format!("{}/latest/api/token", self.endpoint))
            .header("x-aws-ec2-metadata-token-ttl-seconds", TOKEN_SECONDS);
        let response = request.send().await.map_err(unreachable)?;
        match response.status() {
            StatusCode::OK => response.text().await.map_err(unreachable),
            other => Err(refusal(other)),
        }
    }

    async fn get(&self, path: &str, token: &str) -> Result<Option<Bytes>, ImdsError> {
        let request = self
            .client
            .get(format!("{}/latest/{path}", self.endpoint))
            .header("x-aws-ec2-metadata-token", token);
        let response = request.send().await.map_err(unreachable)?;
        match response.status() {
            StatusCode::OK => response.bytes().await.map(Some).map_err(unreachable),
            StatusCode::NOT_FOUND => Ok(None),
            StatusCode::UNAUTHORIZED => Err(ImdsError::TokenExpired),
            other => Err(refusal(other)),
        }
    }
}

fn refusal(status: StatusCode) -> ImdsError {
    if status == StatusCode::FORBIDDEN { ImdsError::Refused } else { ImdsError::Status(status.as_u16()) }
}

#[expect(clippy::needless_pass_by_value, reason = "the shape map_err wants")]
fn unreachable(error: reqwest::Error) -> ImdsError {
    ImdsError::Unreachable(crate::failure::chain(&error))
}
