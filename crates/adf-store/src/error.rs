//! What can go wrong between us and a table.

use std::error::Error;
use std::fmt;

use adf_types::{AppName, ReleaseName};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::LockView;

type Source = Box<dyn Error + Send + Sync>;

/// The call that failed: what, on which table, for which key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    pub verb: &'static str,
    pub table: String,
    pub key: String,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} in table {}", self.verb, self.key, self.table)
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("E150 cannot {operation}: DynamoDB throttled every attempt")]
    Throttled { operation: Operation, source: Source },
    #[error("E151 cannot {operation}: DynamoDB is not reachable")]
    Unreachable { operation: Operation, source: Source },
    #[error("E152 cannot {operation}: access denied; the role needs dynamodb permissions on this table")]
    AccessDenied { operation: Operation, source: Source },
    #[error("E152 cannot {operation}: the table does not exist")]
    TableMissing { operation: Operation, source: Source },
    #[error("cannot {operation}: DynamoDB refused the call")]
    Refused { operation: Operation, source: Source },
    #[error("cannot {operation}: the record is not one this version understands")]
    Malformed { operation: Operation, source: Source },
    #[error("E153 config {key}: {problem}")]
    Config { key: String, problem: String },
    #[error("{count} config names in one change; at most {max} can change together")]
    TooMany { count: usize, max: usize },
    #[error("release {release} of {app} exists already and releases are immutable")]
    ReleaseExists { app: AppName, release: ReleaseName },
    #[error("E201 {app} is locked by {}, since {}", held.owner, held.taken_at)]
    LockHeld { app: AppName, held: LockView },
    #[error("E202 lost the deploy lock of {app}: another operator took over; nothing was written since")]
    LockLost { app: AppName },
}

impl StoreError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unreachable { .. })
    }

    pub(crate) fn from_sdk<E>(operation: Operation, error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let code = error.as_service_error().and_then(|e| e.code()).unwrap_or_default().to_owned();
        let answered = error.raw_response().map(|r| r.status().as_u16());
        let source: Source = match error {
            // The SDK's outer error only says "service error"; the inner one says what.
            SdkError::ServiceError(e) => Box::new(e.into_err()),
            other => Box::new(other),
        };
        match code.as_str() {
            "ProvisionedThroughputExceededException" | "ThrottlingException" | "RequestLimitExceeded" => {
                Self::Throttled { operation, source }
            }
            "AccessDeniedException"
            | "UnrecognizedClientException"
            | "InvalidSignatureException"
            | "ExpiredTokenException" => Self::AccessDenied { operation, source },
            "ResourceNotFoundException" => Self::TableMissing { operation, source },
            _ if answered.is_none_or(|status| status >= 500) => Self::Unreachable { operation, source },
            _ => Self::Refused { operation, source },
        }
    }
}
