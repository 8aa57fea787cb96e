//! Instance metadata, in our words; `http.rs` asks the real one, `session.rs` keeps the token.

mod http;
mod session;

use async_trait::async_trait;
use bytes::Bytes;

pub(in crate::world) use http::HttpImds;
pub use session::MetadataSession;

use crate::failure::{Fault, Kind};

/// IMDSv2, one call at a time; the token's renewal is [`MetadataSession`]'s, retries are `identify`'s.
#[async_trait]
pub trait Imds: Send + Sync {
    /// `PUT /latest/api/token`
    async fn token(&self) -> Result<String, ImdsError>;
    /// `GET /latest/<path>`; nothing when the answer is 404.
    async fn get(&self, path: &str, token: &str) -> Result<Option<Bytes>, ImdsError>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImdsError {
    #[error("instance metadata did not answer: {0}")]
    Unreachable(String),
    #[error("instance metadata answered {0}")]
    Status(u16),
    #[error("instance metadata refused the session token")]
    TokenExpired,
    #[error(
        "E121 instance metadata is switched off or refuses this instance (403); check HttpEndpoint and the hop limit"
    )]
    Refused,
}

impl Fault for ImdsError {
    fn kind(&self) -> Kind {
        match self {
            Self::Refused => Kind::Permanent,
            Self::Unreachable(_) | Self::Status(_) | Self::TokenExpired => Kind::Transient,
        }
    }
}
