//! Why a release cannot be made.

use adf_config::report::Explain;
use adf_types::{AdfTomlError, AppName, ReleaseName};

use crate::exit::ExitCode;

#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    #[error("cannot run git")]
    NoGit(#[source] std::io::Error),
    #[error("{path} is not inside a git repository")]
    NotARepository { path: String },
    #[error("{name} is neither a tag nor a commit of {repository}; recent tags: {}", tags(.recent))]
    UnknownRevision { name: ReleaseName, repository: String, recent: Vec<String> },
    #[error("git {verb} failed in {repository}: {stderr}")]
    Git { verb: &'static str, repository: String, stderr: String },
    #[error("{0} holds the submodule {1}, whose files git leaves out of an archive")]
    Submodule(ReleaseName, String),
    #[error("the archive that git made of {name} cannot be read")]
    Archive {
        name: ReleaseName,
        #[source]
        source: std::io::Error,
    },
    #[error("E108 no Dockerfile at the top of {name} (commit {commit})")]
    NoDockerfile { name: ReleaseName, commit: String },
    #[error("adf.toml of {name} is not usable")]
    AdfToml {
        name: ReleaseName,
        #[source]
        source: AdfTomlError,
    },
    #[error("release {name} of {app} exists already with other content: {theirs}, and this is {ours}")]
    Exists { app: AppName, name: ReleaseName, theirs: String, ours: String },
}

fn tags(recent: &[String]) -> String {
    if recent.is_empty() { "none".to_owned() } else { recent.join(", ") }
}

impl Explain for ReleaseError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::NoGit(_) | Self::Git { .. } | Self::Archive { .. } => ExitCode::Unexpected,
            Self::NotARepository { .. }
            | Self::Submodule(..)
            | Self::NoDockerfile { .. }
            | Self::AdfToml { .. } => ExitCode::Usage,
            Self::UnknownRevision { .. } => ExitCode::NotFound,
            Self::Exists { .. } => ExitCode::Refused,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoGit(_) => "install git, or record an archive with --url".to_owned(),
            Self::NotARepository { .. } => {
                "name one with --repo PATH, or record an archive with --url".to_owned()
            }
            Self::UnknownRevision { name, .. } => {
                format!("fetch the tags with: git fetch --tags; or make it with: git tag {name}")
            }
            Self::Submodule(..) => {
                "build an archive with the submodule's files and record it with --url".to_owned()
            }
            Self::NoDockerfile { name, .. } => {
                format!(
                    "commit a file named Dockerfile in the top folder; see what is there with: git ls-tree {name}"
                )
            }
            Self::AdfToml { .. } => "correct adf.toml, commit it, and tag that commit".to_owned(),
            Self::Exists { .. } => "releases are immutable; give the new content a new tag".to_owned(),
            Self::Git { .. } | Self::Archive { .. } => return None,
        };
        Some(hint)
    }
}
