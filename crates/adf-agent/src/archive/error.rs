//! How reading an archive ends badly: the download failed, or the archive is no good.

use adf_archive::ArchiveError;

use crate::failure::{Fault, Kind};
use crate::world::FetchError;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Archive(ArchiveError),
    #[error(
        "E144 the release has no signature at {url} ({problem}), and agent.toml demands one; sign the archive with minisign and put the .minisig beside it"
    )]
    Unsigned { url: String, problem: String },
}

impl StreamError {
    /// How often the archive is read in all when it ends so.
    pub fn passes(&self) -> u32 {
        match self {
            Self::Fetch(error) if error.kind() == Kind::Transient => 5,
            Self::Fetch(_) | Self::Unsigned { .. } => 1,
            Self::Archive(error) => passes(error),
        }
    }
}

impl From<ArchiveError> for StreamError {
    fn from(error: ArchiveError) -> Self {
        if let ArchiveError::Source(source) = &error
            && let Some(fetch) = source.downcast::<FetchError>()
        {
            return Self::Fetch(fetch.clone());
        }
        Self::Archive(error)
    }
}

impl Fault for StreamError {
    fn kind(&self) -> Kind {
        if self.passes() > 1 { Kind::Transient } else { Kind::Permanent }
    }
}

/// How often the archive is read in all when it ends so: the same bytes that come twice are what the server has.
/// A cut one is a cut download; a damaged one is tried three times; a tar that ends early inside whole gzip was
/// most likely packed so, and is tried twice.
fn passes(error: &ArchiveError) -> u32 {
    match error {
        ArchiveError::Source(_) | ArchiveError::Truncated { .. } | ArchiveError::Abandoned => 5,
        ArchiveError::Damaged(_) => 3,
        ArchiveError::EndsInside(_) | ArchiveError::NoEntries => 2,
        ArchiveError::NotGzip { .. }
        | ArchiveError::Html { .. }
        | ArchiveError::Empty
        | ArchiveError::Trailing(_)
        | ArchiveError::Tar(_)
        | ArchiveError::NoDockerfile { .. }
        | ArchiveError::Entry { .. }
        | ArchiveError::Ignore { .. }
        | ArchiveError::Limit(_)
        | ArchiveError::Digest { .. }
        | ArchiveError::Signature(_)
        | ArchiveError::SignedAsAnother { .. }
        | ArchiveError::AdfToml(_)
        | ArchiveError::Late(_)
        | ArchiveError::Changed(_) => 1,
    }
}
