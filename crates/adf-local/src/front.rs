//! The endpoint: one HTTP address for every AWS tool, which [`Cloud`] answers.
//!
//! Tools are pointed at it with the three lines of [`Front::exports`]; nothing else about them changes.

use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::{Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use winterbaume_core::{MockRequest, MockResponse};

use crate::cloud::Cloud;
use crate::http::{Answer, Server, full, text};

/// The endpoint, listening as long as it is held.
#[derive(Debug)]
pub struct Front {
    server: Server,
    region: String,
}

/// Why the endpoint could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum FrontError {
    #[error(
        "port {port} of 127.0.0.1 is in use; end what listens there, or choose another with --port (0: any free one)"
    )]
    PortInUse { port: u16 },
    #[error("could not listen on port {port} of 127.0.0.1")]
    Listen { port: u16, source: std::io::Error },
    #[error("port {port} of 127.0.0.1 was opened but does not answer")]
    Silent { port: u16, source: hyper_util::client::legacy::Error },
}

impl Front {
    /// Opens the endpoint on 127.0.0.1; port 0 takes any free one.
    pub async fn open(cloud: Cloud, port: u16) -> Result<Self, FrontError> {
        let region = cloud.region().to_owned();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let handle = move |_, request| answer(cloud.clone(), request);
        let server = Server::bind(address, handle).await.map_err(|source| match source.kind() {
            std::io::ErrorKind::AddrInUse => FrontError::PortInUse { port },
            _ => FrontError::Listen { port, source },
        })?;
        Ok(Self { server, region })
    }

    pub fn port(&self) -> u16 {
        self.server.address.port()
    }

    /// `http://127.0.0.1:4566`
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Returns when the endpoint has answered a request.
    pub async fn answers(&self) -> Result<(), FrontError> {
        let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let url = self.url().parse().expect("a socket address makes a URL");
        let silent = |source| FrontError::Silent { port: self.port(), source };
        client.get(url).await.map(drop).map_err(silent)
    }

    /// The three lines that point any AWS tool here, as a shell reads them. boto3 reads only the second name of the region.
    pub fn exports(&self) -> String {
        let (url, region) = (self.url(), &self.region);
        format!(
            "export AWS_ENDPOINT_URL={url}\n\
             export AWS_REGION={region} AWS_DEFAULT_REGION={region}\n\
             export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local\n"
        )
    }
}

async fn answer(cloud: Cloud, request: Request<Incoming>) -> Answer {
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else {
        return text(StatusCode::BAD_REQUEST, "the request's body did not arrive whole\n");
    };
    let host = parts.headers.get(http::header::HOST).and_then(|v| v.to_str().ok()).unwrap_or("127.0.0.1");
    let request = MockRequest {
        method: parts.method.to_string(),
        uri: format!("http://{host}{}", parts.uri.path_and_query().map_or("/", |path| path.as_str())),
        headers: parts.headers,
        body: body.to_bytes(),
    };
    tracing::debug!(method = request.method, uri = request.uri, "request");
    to_http(cloud.handle(request).await)
}

fn to_http(answer: MockResponse) -> Answer {
    let mut response = Response::new(full(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = answer.headers;
    response
}
