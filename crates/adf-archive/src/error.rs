//! What can be wrong with an archive.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;

use adf_types::{AdfTomlError, Digest};

use crate::Known;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// The reader that the archive came from failed; its owner knows better what that means.
    #[error("{0}")]
    Source(SourceError),
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
    #[error("E142 {file} has a pattern that Docker does not take, \"{pattern}\": {problem}")]
    Ignore { file: &'static str, pattern: String, problem: String },
    #[error("E143 the archive was refused: {0}")]
    Limit(#[from] Limit),
    #[error("E140 release digest mismatch: want {want}, got {got}; the archive changed or was tampered with")]
    Digest { want: Digest, got: Digest },
    #[error(
        "E145 the archive's minisign signature does not hold: {0}; the archive was changed, or signed with another key"
    )]
    Signature(String),
    #[error(
        "E146 the archive is signed as \"{says}\", not as \"{expected}\": another signed release stands in this one's place, or the signature does not name it; sign with: minisign -S -t \"{expected}\""
    )]
    SignedAsAnother { says: String, expected: String },
    #[error("{0}")]
    AdfToml(#[from] AdfTomlError),
    /// Not shown: the caller reads the archive again, knowing this.
    #[error("adf.toml or .dockerignore stands behind what it decides about")]
    Late(Box<Known>),
    #[error("{0} changed between two reads of the same archive")]
    Changed(&'static str),
    /// Not shown: the build ended first and says why.
    #[error("the build stopped reading the archive")]
    Abandoned,
}

/// What an archive has too much of, and how much it may have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    #[error("it unpacks to more than {0} bytes")]
    Unpacked(u64),
    #[error("it unpacks to more than {0} times its size")]
    Ratio(u64),
    #[error("it has more than {0} entries")]
    Entries(usize),
    #[error("its paths are longer than {0} bytes together")]
    PathBytes(usize),
    #[error("{path} is a path of more than {limit} bytes")]
    Path { path: String, limit: usize },
    #[error("{path} is nested in more than {limit} folders")]
    Depth { path: String, limit: usize },
    #[error("it has a name or header longer than {0} bytes")]
    Extension(u64),
    #[error("its {file} is longer than {limit} bytes")]
    File { file: &'static str, limit: u64 },
}

impl ArchiveError {
    pub(crate) fn entry(path: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::Entry { path: path.into(), problem: problem.into() }
    }
}

/// The reader's own error, for its owner to recognise with [`SourceError::downcast`].
#[derive(Debug, Clone)]
pub struct SourceError(Arc<io::Error>);

impl SourceError {
    /// The error that the reader put into its `io::Error`, if it is a `T`.
    pub fn downcast<T: Error + 'static>(&self) -> Option<&T> {
        self.0.get_ref()?.downcast_ref()
    }
}

impl From<io::Error> for SourceError {
    fn from(error: io::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for SourceError {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for SourceError {}

/// The first error that a reader below the tar layer met. The layers between pass `io::Error`s on and some
/// wrap them, so the cause is kept beside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cause(std::rc::Rc<std::cell::RefCell<Option<ArchiveError>>>);

impl Cause {
    /// Keeps the first cause and gives the `io::Error` that carries the news upwards.
    pub(crate) fn set(&self, error: ArchiveError) -> io::Error {
        let text = error.to_string();
        self.0.borrow_mut().get_or_insert(error);
        io::Error::other(text)
    }

    pub(crate) fn take_or(&self, otherwise: impl FnOnce() -> ArchiveError) -> ArchiveError {
        self.0.borrow_mut().take().unwrap_or_else(otherwise)
    }
}

/// What the tar layer says of an archive that ends where more was announced; it has no kind of error for that.
const ENDS_EARLY: [&str; 2] = ["failed to read entire block", "unexpected EOF during skip"];

/// An error of the tar layer and its causes in one line.
pub(crate) fn tar_error(error: impl Into<io::Error>) -> ArchiveError {
    let error: io::Error = error.into();
    if error.kind() == io::ErrorKind::UnexpectedEof || ENDS_EARLY.contains(&error.to_string().as_str()) {
        return ArchiveError::EndsInside("a header or behind an entry".to_owned());
    }
    let (mut line, mut cause) = (error.to_string(), error.source());
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = inner.source();
    }
    // The tar layer repeats bytes of the archive, and a message goes to terminals.
    ArchiveError::Tar(line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect())
}
