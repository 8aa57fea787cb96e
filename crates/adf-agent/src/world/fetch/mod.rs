//! Where release archives are, in our words.
//!
//! | file | what |
//! | --- | --- |
//! | `fetcher.rs` | which of the schemes below a URL has |
//! | `http.rs` | `https://`, and `http://` on this host: requests and redirects |
//! | `answer.rs`, `part.rs` | answers that are no archive, and those that are the rest of one |
//! | `hop.rs` | which hosts a fetch may go to, and which of them may see the GitHub token |
//! | `address.rs`, `resolver.rs` | keep names from leading to this host's own network |
//! | `trouble.rs` | why there was no answer: DNS, connection, TLS, certificate |
//! | `clock.rs` | whether this host's clock is to blame |
//! | `s3.rs` | `s3://`, with the instance's role |
//! | `resume.rs` | a body that goes on where its connection was cut |
//! | `error.rs` | all that can be wrong, with codes |
//!
//! The rule: nothing here buffers an archive or writes it to disk, and no query of a URL is ever printed:
//! signed URLs and GitHub's redirects carry their secret there.

mod address;
mod answer;
mod clock;
mod error;
mod fetcher;
mod hop;
mod http;
mod part;
mod resolver;
mod resume;
mod s3;
mod trouble;

#[cfg(test)]
mod tests;

use adf_types::{ConfigValue, ReleaseUrl};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;

pub use error::{ConnectStep, FetchError};
pub(in crate::world) use fetcher::Fetcher;
pub use hop::wants_token;

/// Where release archives are.
#[async_trait]
pub trait Fetch: Send + Sync {
    /// Opens the archive; the body follows as it arrives.
    async fn open(&self, url: &ReleaseUrl, access: &Access) -> Result<Download, FetchError>;
}

/// What a fetch may show to be let in.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Shown to GitHub's own hosts only, see [`wants_token`].
    pub github_token: Option<ConfigValue>,
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
