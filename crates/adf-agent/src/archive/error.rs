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
}

impl From<ArchiveError> for StreamError {
    fn from(error: ArchiveError) -> Self {
        let fetch = match &error {
            ArchiveError::Source(source) => source.downcast::<FetchError>().cloned(),
            _ => None,
        };
        fetch.map_or(Self::Archive(error), Self::Fetch)
    }
}

impl Fault for StreamError {
    fn kind(&self) -> Kind {
        match self {
            Self::Fetch(error) => error.kind(),
            Self::Archive(error) => kind(error),
        }
    }
}

fn kind(error: &ArchiveError) -> Kind {
    match error {
        ArchiveError::Source(_)
        | ArchiveError::Truncated { .. }
        | ArchiveError::Damaged(_)
        | ArchiveError::EndsInside(_)
        | ArchiveError::Abandoned => Kind::Transient,
        ArchiveError::NotGzip { .. }
        | ArchiveError::Html { .. }
        | ArchiveError::Empty
        | ArchiveError::Trailing(_)
        | ArchiveError::Tar(_)
        | ArchiveError::NoEntries
        | ArchiveError::NoDockerfile { .. }
        | ArchiveError::Entry { .. }
        | ArchiveError::Limit(_)
        | ArchiveError::Digest { .. }
        | ArchiveError::AdfToml(_)
        | ArchiveError::LateSettings(_)
        | ArchiveError::SettingsChanged => Kind::Permanent,
    }
}
