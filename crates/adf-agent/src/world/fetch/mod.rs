//! Where release archives are, in our words.
//!
//! | file | what |
//! | --- | --- |
//! | `fetcher.rs` | which of the schemes below a URL has |
//! | `http.rs` | `https://`, and `http://` on this host: redirects, each hop checked |
//! | `filter.rs` | keeps names from leading to this host's own network |
//! | `s3.rs` | `s3://`, with the instance's role |
//!
//! The rule: nothing here buffers an archive or writes it to disk.

mod fetcher;
mod filter;
mod http;
mod s3;

use adf_types::ReleaseUrl;
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

pub(in crate::world) use fetcher::Fetcher;

use crate::failure::{Fault, Kind};

/// Where release archives are.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Opens the archive; the body follows as it arrives.
    async fn open(&self, url: &ReleaseUrl) -> Result<Download, FetchError>;
}

/// An archive on its way.
pub struct Download {
    /// As the server told it; for the error message when the body is no archive.
    pub content_type: Option<String>,
    pub body: BoxStream<'static, Result<Bytes, FetchError>>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("E130 could not connect for {url}: {problem}")]
    Connect { url: String, problem: String },
    #[error(
        "E132 the release was not found or may not be read ({status}) at {url}; check the tag or commit and the access rights"
    )]
    NotFound { url: String, status: String },
    #[error("E133 {url} answered {status}")]
    Server { url: String, status: String },
    #[error("E134 a redirect of {url} was refused: {problem}")]
    Redirect { url: String, problem: String },
    #[error("E135 the download of {url} stopped after {received} bytes: {problem}")]
    Cut { url: String, received: u64, problem: String },
    #[error("E136 the download of {url} is slower than 1 KiB/s")]
    Slow { url: String },
    #[error("E132 cannot read {path}: {problem}")]
    File { path: String, problem: String },
}

impl Fault for FetchError {
    fn kind(&self) -> Kind {
        match self {
            Self::Connect { .. } | Self::Server { .. } | Self::Cut { .. } | Self::Slow { .. } => {
                Kind::Transient
            }
            Self::NotFound { .. } | Self::Redirect { .. } | Self::File { .. } => Kind::Permanent,
        }
    }
}
