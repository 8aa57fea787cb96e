//! What can go wrong in a command, what the shell is told, and what the operator can do about it.
//!
//! Each module has its own error; this one gathers them for the edge, where the chain is printed once.

use adf_config::connect::ConnectError;
use adf_config::error::known_releases;
use adf_config::report::Explain;
use adf_store::StoreError;
use adf_types::{AppName, DeployId, ReleaseName};

use crate::aws::AwsError;
use crate::deploy::DeployError;
use crate::exit::ExitCode;
use crate::release::ReleaseError;
use crate::settings::SettingsError;

#[derive(Debug, thiserror::Error)]
pub enum CtlError {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error("cannot begin to talk to AWS")]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Config(#[from] adf_config::ConfigError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Release(#[from] ReleaseError),
    #[error(transparent)]
    Deploy(#[from] DeployError),
    #[error("unknown app {0}: it has no release, no deploy and no config")]
    UnknownApp(AppName),
    #[error("{0} has no current release: nothing was deployed yet")]
    NothingDeployed(AppName),
    #[error("unknown deploy {id} of app {app}")]
    UnknownDeploy { app: AppName, id: DeployId },
    #[error("unknown release {release} of app {app}; {}", known_releases(.known))]
    UnknownRelease { app: AppName, release: ReleaseName, known: Vec<ReleaseName> },
    /// Nothing was touched.
    #[error("refused: {reason}")]
    Refused { reason: String, hint: String },
    /// The old release serves.
    #[error("the deploy failed: {}", failure_sentence(.reason, .serving))]
    DeployFailed { reason: String, serving: String, hint: String },
    #[error("not proven: {}", .0.join("; "))]
    NotProven(Vec<String>),
    #[error("cannot write {path}")]
    Write {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("interrupted{0}")]
    Interrupted(String),
}

/// Stage, reason and last lines, then what serves now: on a line of its own below lines of a log.
fn failure_sentence(reason: &str, serving: &str) -> String {
    if reason.contains('\n') {
        return format!("{reason}\n{serving}");
    }
    // AWS ends its own sentences.
    format!("{}; {serving}", reason.trim_end_matches('.'))
}

impl CtlError {
    /// Whether the same thing may succeed later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Aws(e) => e.is_transient(),
            Self::Store(e) => e.is_transient(),
            Self::Deploy(e) => e.is_transient(),
            _ => false,
        }
    }
}

impl Explain for CtlError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Settings(e) => e.exit_code(),
            Self::Connect(e) => e.exit_code(),
            Self::Config(e) => e.exit_code(),
            Self::Store(e) => e.exit_code(),
            Self::Aws(e) => e.exit_code(),
            Self::Release(e) => e.exit_code(),
            Self::Deploy(e) => e.exit_code(),
            Self::UnknownApp(_)
            | Self::NothingDeployed(_)
            | Self::UnknownDeploy { .. }
            | Self::UnknownRelease { .. } => ExitCode::NotFound,
            Self::Refused { .. } => ExitCode::Refused,
            Self::DeployFailed { .. } | Self::NotProven(_) => ExitCode::DeployFailed,
            Self::Write { .. } => ExitCode::Unexpected,
            Self::Interrupted(_) => ExitCode::Interrupted,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Settings(e) => e.hint(),
            Self::Connect(e) => e.hint(),
            Self::Config(e) => e.hint(),
            Self::Store(e) => e.hint(),
            Self::Aws(e) => e.hint(),
            Self::Release(e) => e.hint(),
            Self::Deploy(e) => e.hint(),
            Self::UnknownApp(_) => Some(
                "check the name, the region and the account; adf-ctl release create begins an app".into(),
            ),
            Self::NothingDeployed(_) => Some(
                "deploy a release with: adf-ctl deploy RELEASE; see them with: adf-ctl release list".into(),
            ),
            Self::UnknownDeploy { .. } => Some("see the last ones with: adf-ctl history".into()),
            Self::UnknownRelease { release, .. } => {
                Some(format!("make it with: adf-ctl release create {release}"))
            }
            Self::Refused { hint, .. } | Self::DeployFailed { hint, .. } => Some(hint.clone()),
            Self::NotProven(_) => Some("see the instances with: adf-ctl status".into()),
            Self::Write { .. } => None,
            Self::Interrupted(_) => Some("see what is open with: adf-ctl status".into()),
        }
    }
}

impl Explain for AwsError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Unreachable { .. } | Self::Throttled { .. } | Self::Denied { .. } => ExitCode::Unreachable,
            Self::NotFound { .. } => ExitCode::NotFound,
            Self::Refused { .. } | Self::Incomplete { .. } => ExitCode::Unexpected,
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreachable { .. } => {
                "check the network, the region and AWS_ENDPOINT_URL; the same command may be repeated"
            }
            Self::Throttled { .. } => "wait a moment and try again",
            Self::Denied { .. } => "check who you are with: aws sts get-caller-identity",
            Self::NotFound { .. } => {
                "check the names in adf.toml, the region and the account; adf-ctl init makes what is missing"
            }
            Self::Refused { .. } | Self::Incomplete { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use adf_config::report::render;

    use super::*;
    use crate::printer::Format;

    fn failed(reason: &str) -> String {
        let (serving, hint) =
            ("v1 was never taken out of service on 3 instances".into(), "see adf-ctl logs".into());
        render(&CtlError::DeployFailed { reason: reason.into(), serving, hint }, Format::Text)
    }

    #[test]
    fn what_serves_now_never_stands_on_a_line_of_the_log() {
        assert_eq!(
            failed("canary i-1 failed at stage health: E170\n  | no database\u{1b}[2J"),
            "error: the deploy failed: canary i-1 failed at stage health: E170\n    | no database\\u{1b}[2J\n  v1 was \
             never taken out of service on 3 instances\nhint: see adf-ctl logs"
        );
    }

    #[test]
    fn a_reason_of_one_line_is_one_sentence_with_what_serves() {
        assert!(
            failed("3 of 9 probes failed")
                .starts_with("error: the deploy failed: 3 of 9 probes failed; v1 was")
        );
    }
}
