//! The AWS SDK's way into a [`Cloud`] without a socket: an HTTP client that calls it in the process.
//!
//! Nothing here sleeps or touches the network, so tests run in tokio's paused time with the real SDK.

use aws_config::{AppName, BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use http::{HeaderMap, HeaderName, HeaderValue};
use winterbaume_core::{MockRequest, MockResponse};

use super::Cloud;
use super::script::UNREACHABLE;

impl Cloud {
    /// The HTTP client to give to an SDK client's config; it reaches this cloud without a socket.
    pub fn http_client(&self) -> SharedHttpClient {
        SharedHttpClient::new(self.clone())
    }

    /// A complete SDK config for this cloud: its region, test credentials, the in-process HTTP client.
    pub fn sdk_config(&self) -> SdkConfig {
        self.sdk_config_of("local")
    }

    /// The same, with the credentials of another principal; see [`Cloud::restrict`].
    pub fn sdk_config_of(&self, access_key: &str) -> SdkConfig {
        let credentials = Credentials::new(access_key, "local", None, None, "adf-local");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region().to_owned()))
            .app_name(AppName::new("adf-local").expect("a plain word is an app name"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.http_client())
            .timeout_config(TimeoutConfig::disabled())
            // It compares the wall clock with virtual time and would call every body stalled.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build()
    }
}

impl HttpClient for Cloud {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let cloud = self.clone();
        HttpConnectorFuture::new(async move {
            let request = to_mock(request).await?;
            let answer = cloud.handle(request).await;
            if answer.status == 503 && String::from_utf8_lossy(&answer.body).contains(UNREACHABLE) {
                return Err(ConnectorError::io("scripted: no connection".into()));
            }
            from_mock(answer)
        })
    }
}

async fn to_mock(request: HttpRequest) -> Result<MockRequest, ConnectorError> {
    let (method, uri) = (request.method().to_owned(), request.uri().to_owned());
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers() {
        let name = HeaderName::try_from(name).map_err(|e| ConnectorError::user(e.into()))?;
        let value = HeaderValue::try_from(value).map_err(|e| ConnectorError::user(e.into()))?;
        headers.append(name, value);
    }
    let body = ByteStream::new(request.into_body()).collect().await;
    let body = body.map_err(|e| ConnectorError::io(e.into()))?.into_bytes();
    Ok(MockRequest { method, uri, headers, body })
}

fn from_mock(answer: MockResponse) -> Result<HttpResponse, ConnectorError> {
    let status = StatusCode::try_from(answer.status).map_err(|e| ConnectorError::other(e.into(), None))?;
    let mut response = HttpResponse::new(status, SdkBody::from(answer.body));
    for (name, value) in &answer.headers {
        let value = value.to_str().map_err(|e| ConnectorError::other(e.into(), None))?;
        response.headers_mut().append(name.as_str().to_owned(), value.to_owned());
    }
    Ok(response)
}
