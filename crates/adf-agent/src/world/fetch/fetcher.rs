//! Which way of fetching a release URL names.

use std::path::Path;

use adf_types::ReleaseUrl;
use async_trait::async_trait;
use futures_util::StreamExt as _;
use tokio_util::io::ReaderStream;

use super::hop::AllowedHosts;
use super::{Access, Download, Fetch, FetchError, http, s3};
use crate::private;

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
            ReleaseUrl::File { path } => file(path),
            ReleaseUrl::Docker(image) => Err(FetchError::NotAnArchive { image: image.to_string() }),
        }
    }
}

fn file(path: &str) -> Result<Download, FetchError> {
    let problem = |problem| FetchError::File { path: path.to_owned(), problem };
    let opened = tokio::fs::File::from_std(private::trusted(Path::new(path)).map_err(problem)?);
    let path = path.to_owned();
    let body = ReaderStream::with_capacity(opened, 64 * 1024)
        .map(move |piece| piece.map_err(|e| FetchError::File { path: path.clone(), problem: e.to_string() }));
    Ok(Download { content_type: None, body: body.boxed() })
}
