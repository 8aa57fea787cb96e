//! What can be wrong with an archive.

use adf_types::{AdfTomlError, Digest};

use super::Settings;
use crate::failure::{Fault, Kind};
use crate::world::FetchError;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("E137 expected a gzip archive (.tar.gz), got {}; it starts with \"{start}\"", .content_type.as_deref().unwrap_or("something else"))]
    NotGzip { content_type: Option<String>, start: String },
    #[error("E137 expected a gzip archive (.tar.gz), got an HTML page{} (a login page?); check the URL and its access rights", .content_type.as_ref().map(|t| format!(" ({t})")).unwrap_or_default())]
    Html { content_type: Option<String> },
    #[error("E138 the archive is empty")]
    Empty,
    #[error("E138 the archive is cut off after {received} bytes; the upload or the download was incomplete")]
    Truncated { received: u64 },
    #[error("E138 the archive is damaged: {0}")]
    Damaged(String),
    #[error("E138 the archive has {0} after its end")]
    Trailing(&'static str),
    #[error("E139 the archive's tar stream is damaged: {0}")]
    Tar(String),
    #[error("E139 the archive ends inside {0}")]
    EndsInside(String),
    #[error("E139 the archive has no entries")]
    NoEntries,
    #[error("E108 no Dockerfile at the top of the archive (looked for ./Dockerfile{})", .root.as_ref().map(|r| format!("; the archive's root is {r}/")).unwrap_or_default())]
    NoDockerfile { root: Option<String> },
    #[error("E141 the archive was refused: {path} {problem}")]
    Entry { path: String, problem: String },
    #[error("E143 the archive was refused: {0}")]
    Limit(String),
    #[error("E140 release digest mismatch: want {want}, got {got}; the archive changed or was tampered with")]
    Digest { want: Digest, got: Digest },
    #[error("{0}")]
    AdfToml(#[from] AdfTomlError),
    /// Not shown: the caller reads the archive again, knowing adf.toml.
    #[error("adf.toml stands behind the head of the archive")]
    LateSettings(Box<Settings>),
    #[error("adf.toml changed between two reads of the same archive")]
    SettingsChanged,
    /// Not shown: the build ended first and says why.
    #[error("the build stopped reading the archive")]
    Abandoned,
}

impl ArchiveError {
    pub(super) fn entry(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Entry { path: path.into(), problem: problem.into() }
    }
}

impl Fault for ArchiveError {
    fn kind(&self) -> Kind {
        match self {
            Self::Fetch(error) => error.kind(),
            Self::Truncated { .. } | Self::Damaged(_) | Self::EndsInside(_) | Self::Abandoned => {
                Kind::Transient
            }
            Self::NotGzip { .. }
            | Self::Html { .. }
            | Self::Empty
            | Self::Trailing(_)
            | Self::Tar(_)
            | Self::NoEntries
            | Self::NoDockerfile { .. }
            | Self::Entry { .. }
            | Self::Limit(_)
            | Self::Digest { .. }
            | Self::AdfToml(_)
            | Self::LateSettings(_)
            | Self::SettingsChanged => Kind::Permanent,
        }
    }
}

/// The first error that a reader below the tar layer met. The layers between pass `io::Error`s on and some
/// wrap them, so the cause is kept beside.
#[derive(Debug, Clone, Default)]
pub(super) struct Cause(std::rc::Rc<std::cell::RefCell<Option<ArchiveError>>>);

impl Cause {
    /// Keeps the first cause and gives the `io::Error` that carries the news upwards.
    pub(super) fn set(&self, error: ArchiveError) -> std::io::Error {
        let text = error.to_string();
        self.0.borrow_mut().get_or_insert(error);
        std::io::Error::other(text)
    }

    pub(super) fn take_or(&self, otherwise: impl FnOnce() -> ArchiveError) -> ArchiveError {
        self.0.borrow_mut().take().unwrap_or_else(otherwise)
    }
}
