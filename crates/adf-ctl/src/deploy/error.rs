//! What can stop a driver. A deploy that fails is not among them: that is an outcome, see `Outcome`.

use adf_config::report::Explain;
use adf_store::{LockView, StoreError};
use adf_types::{AppName, DeployRecord, ReleaseName};

use crate::aws::AwsError;
use crate::exit::ExitCode;

#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("unknown release {release} of app {app}; {}", adf_config::error::known_releases(.known))]
    UnknownRelease { app: AppName, release: ReleaseName, known: Vec<ReleaseName> },
    /// Nothing was touched.
    #[error("refused: {reason}")]
    Refused { reason: String, hint: String },
    /// The record is intact; whoever comes next goes on.
    #[error("interrupted; deploy {} of {} is open at step {}", .0.id, .0.to, .0.step)]
    Interrupted(Box<DeployRecord>),
    /// The record is intact; whoever comes next goes on.
    #[error("deploy {} of {} is open at step {} and nobody drives it", .record.id, .record.to, .record.step)]
    Stuck {
        record: Box<DeployRecord>,
        #[source]
        source: Box<DeployError>,
    },
}

impl DeployError {
    pub fn refused(reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into(), hint: hint.into() }
    }

    pub fn no_group(name: &str) -> Self {
        Self::refused(
            format!("there is no Auto Scaling group {name} in this account and region"),
            "name it with --group, or make one with: adf-ctl init --capacity N --image-id AMI --subnet SUBNET",
        )
    }

    pub fn no_target_group(name: &str) -> Self {
        Self::refused(
            format!("there is no target group {name} in this account and region"),
            "name it with --target-group; \"none\" is for an app without a load balancer",
        )
    }

    /// Somebody else replaces the group's instances.
    pub fn foreign_refresh(group: &str, refresh: &str) -> Self {
        Self::refused(
            format!("E203 group {group} has instance refresh {refresh}, which was started outside ADF"),
            format!(
                "wait for it to end; see it with: aws autoscaling describe-instance-refreshes \
                 --auto-scaling-group-name {group}"
            ),
        )
    }

    /// Somebody else has the lock.
    pub fn held(app: &AppName, held: &LockView, open: Option<&DeployRecord>) -> Self {
        let doing = open
            .map_or_else(String::new, |d| format!(" for deploy {} of {}, at step {}", d.id, d.to, d.step));
        Self::refused(
            format!("E201 {app} is locked by {}{doing}, since {:.0}", held.owner, held.taken_at),
            "wait for it to end (adf-ctl status shows it), or turn it back with: adf-ctl rollback",
        )
    }

    /// Whether the same thing may succeed later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Aws(e) => e.is_transient(),
            Self::Store(e) => e.is_transient(),
            _ => false,
        }
    }

    /// The sentence and, where the error knows one, what to do about it: a deploy's reason has no line for a hint.
    pub fn with_its_cure(&self) -> String {
        match self {
            Self::Refused { reason, hint } => format!("{reason}; {hint}"),
            other => other.to_string(),
        }
    }

    /// A request that AWS answered with no: another decision may be better.
    pub fn is_refusal_by_aws(&self) -> bool {
        matches!(self, Self::Aws(AwsError::Refused { .. } | AwsError::NotFound { .. }) | Self::Refused { .. })
    }
}

impl Explain for DeployError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Aws(e) => e.exit_code(),
            Self::Store(e) => e.exit_code(),
            Self::UnknownRelease { .. } => ExitCode::NotFound,
            Self::Refused { .. } => ExitCode::Refused,
            Self::Interrupted(_) => ExitCode::Interrupted,
            Self::Stuck { source, .. } => match source.exit_code() {
                // "Refused" promises that nothing was touched, and that is no longer so.
                ExitCode::Refused => ExitCode::Unexpected,
                code => code,
            },
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Aws(e) => e.hint(),
            Self::Store(e) => e.hint(),
            Self::UnknownRelease { release, .. } => {
                Some(format!("make it with: adf-ctl release create {release}"))
            }
            Self::Refused { hint, .. } => Some(hint.clone()),
            Self::Interrupted(_) => Some(go_on(None)),
            Self::Stuck { source, .. } => Some(go_on(Some(source.as_ref()))),
        }
    }
}

/// The deploy is open; what kept its driver from going on comes first.
fn go_on(source: Option<&DeployError>) -> String {
    let first = match source {
        Some(DeployError::Aws(AwsError::Denied { .. })) => {
            "E211 renew the credentials (aws sts get-caller-identity shows whose they are), then "
        }
        _ => "",
    };
    format!("{first}go on with: adf-ctl resume; or go back with: adf-ctl rollback")
}
