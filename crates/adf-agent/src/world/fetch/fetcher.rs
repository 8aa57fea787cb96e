//! Which way of fetching a release URL names.

use adf_types::ReleaseUrl;
use async_trait::async_trait;
use futures_util::StreamExt as _;
use tokio_util::io::ReaderStream;

use super::hop::AllowedHosts;
use super::{Access, Download, Fetch, FetchError, http, s3};

pub(in crate::world) struct Fetcher {
    http: http::Http,
    s3: aws_sdk_s3::Client,
}

impl Fetcher {
    /// `allowed_hosts` is agent.toml's; empty for every host.
    pub(in crate::world) fn new(s3: aws_sdk_s3::Client, allowed_hosts: &[String]) -> Self {
        Self { http: http::Http::new(AllowedHosts::new(allowed_hosts)), s3 }
    }
}

#[async_trait]
impl Fetch for Fetcher {
    async fn open(&self, url: &ReleaseUrl, access: &Access) -> Result<Download, FetchError> {
        match url {
            ReleaseUrl::Http(url) => self.http.open(url, access).await,
            ReleaseUrl::S3 { bucket, key } => s3::open(&self.s3, bucket, key).await,
            ReleaseUrl::File { path } => file(path).await,
        }
    }
}

async fn file(path: &str) -> Result<Download, FetchError> {
    let problem = |e: std::io::Error| FetchError::File { path: path.to_owned(), problem: e.to_string() };
    let opened = tokio::fs::File::open(path).await.map_err(problem)?;
    if opened.metadata().await.map_err(problem)?.is_dir() {
        return Err(FetchError::File {
            path: path.to_owned(),
            problem: "it is a folder; name a .tar.gz".to_owned(),
        });
    }
    let path = path.to_owned();
    let body = ReaderStream::with_capacity(opened, 64 * 1024)
        .map(move |piece| piece.map_err(|e| FetchError::File { path: path.clone(), problem: e.to_string() }));
    Ok(Download { content_type: None, body: body.boxed() })
}
