//! What can go wrong between us and a table.

use std::error::Error;
use std::fmt;

use adf_types::{AppName, ReleaseName};
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::primitives::{DateTime, DateTimeFormat};
use jiff::Timestamp;

use crate::LockView;
use crate::retries::passes_by_itself;

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

/// Who wrote an item of config, and when, as far as the item says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    By {
        by: String,
        at: String,
    },
    /// By a client of 2013, which leaves no name.
    Unsigned,
    /// It is not there, or no more.
    Absent,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::By { by, at } => write!(f, "written by {by} at {at}"),
            Self::Unsigned => f.write_str("written by a client that leaves no name"),
            Self::Absent => f.write_str("not there"),
        }
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
    #[error("E158 cannot {operation}: DynamoDB refused the call")]
    Refused { operation: Operation, source: Source },
    #[error(
        "E158 cannot {operation}: the table's keys are not App and Name. A table of 2013 whose range key is Value is \
         read, not written"
    )]
    OtherKeys { operation: Operation, source: Source },
    #[error("E159 cannot {operation}: the record is not one this version understands; use a newer adf")]
    Malformed { operation: Operation, source: Source },
    #[error(
        "E152 no config for app {app}, release {release}, in table {table}, and no record of that release; check APP and RELEASE in the user data, or was it cleaned up?"
    )]
    NoConfig { app: AppName, release: ReleaseName, table: String },
    #[error(
        "E152 the config of release {release} of {app} was cleaned up at {at}; deploying the release brings it back: adf-ctl deploy {release}"
    )]
    CleanedUp { app: AppName, release: ReleaseName, at: String },
    #[error("E153 config {key}: {}", problem.trim_start_matches("E153 "))]
    Config { key: String, problem: String },
    #[error("E154 the config of {app} changed during each of {reads} reads; try again when nobody edits it")]
    Changing { app: AppName, reads: usize },
    #[error("E155 KMS refused to {verb} config {key} ({code}): {cure}")]
    KmsRefused { verb: &'static str, key: String, code: String, cure: String, source: Source },
    #[error("E155 cannot {verb} config {key}: KMS {problem}")]
    KmsUnanswered { verb: &'static str, key: String, problem: &'static str, source: Source },
    #[error("E155 the secret {key} {problem}")]
    Secret { key: String, problem: String },
    #[error("E160 cannot {what}: the host clock is {} min {} AWS", minutes.abs(), if *minutes > 0 { "behind" } else { "ahead of" })]
    ClockSkew { what: String, minutes: i64 },
    #[error(
        "config {key}, as it was read, was {read}; meanwhile it was {written}; nothing was written: look at it and \
         decide again"
    )]
    Overwritten {
        key: String,
        /// Who had written what was read, and when.
        read: Written,
        /// Who has written since.
        written: Written,
    },
    #[error("the history of {app} has no change {id}; adf-config history shows them")]
    UnknownChange { app: AppName, id: String },
    #[error("{count} config names in one change; at most {max} can change together")]
    TooMany { count: usize, max: usize },
    #[error("{what} is {bytes} bytes long, and DynamoDB takes {max}; nothing was written")]
    TooLarge { what: String, bytes: usize, max: usize },
    #[error("a deploy of {app} began while its config was being changed; nothing more was changed")]
    DeployBegan { app: AppName },
    #[error("config {key} is a secret, and would be stored in clear; nothing was written")]
    WasSecret { key: String },
    #[error(
        "version {seen} of the config of {app} was never read: the last one is {last}; nothing was written"
    )]
    UnknownVersion { app: AppName, seen: u64, last: u64 },
    #[error(
        "E208 config {} of release {release} was deleted after its clean-up; set it again for that release (config set \
         --release {release}), or unset it there to go without", .names.join(", ")
    )]
    Purged { release: ReleaseName, names: Vec<String> },
    #[error("release {release} of {app} exists already and releases are immutable")]
    ReleaseExists { app: AppName, release: ReleaseName },
    #[error("E201 {app} is locked by {}, since {}", held.owner, held.taken_at)]
    LockHeld { app: AppName, held: LockView },
    #[error(
        "E202 lost the deploy lock of {app}: another operator took it over or broke it; nothing was written since"
    )]
    LockLost { app: AppName },
}

impl StoreError {
    /// Whether the same call may succeed later without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unreachable { .. } | Self::KmsUnanswered { .. })
    }

    pub(crate) fn from_sdk<E>(operation: Operation, error: SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let code = error.as_service_error().and_then(|e| e.code()).unwrap_or_default().to_owned();
        let throttled = is_limit_exceeded(&error);
        let other_keys = is_about_keys(&error);
        let passes = passes_by_itself(&body(&error));
        if let Some(minutes) = clock_skew(&code, error.raw_response()) {
            return Self::ClockSkew { what: operation.to_string(), minutes };
        }
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
            _ if throttled || passes => Self::Throttled { operation, source },
            _ if other_keys => Self::OtherKeys { operation, source },
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

/// DynamoDB also says "limit exceeded" in the form of a request that is not valid (fault 29).
pub(crate) fn is_limit_exceeded<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let service = error.as_service_error();
    service.is_some_and(|e| {
        e.code() == Some("ValidationException")
            && e.message().is_some_and(|m| m.to_ascii_lowercase().contains("limit exceeded"))
    })
}

/// Whether the call named other keys than the table has. Only the text of the answer tells; of a transaction it stands
/// among the reasons for which it was cancelled.
fn is_about_keys<E: ProvideErrorMetadata>(error: &SdkError<E>) -> bool {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
    let body = body(error);
    matches!(code, "ValidationException" | "TransactionCanceledException")
        && (body.contains("does not match the schema") || body.contains("Missing the key"))
}

fn body<E>(error: &SdkError<E>) -> String {
    let body = error.raw_response().and_then(|answer| answer.body().bytes()).unwrap_or_default();
    String::from_utf8_lossy(body).into_owned()
}

/// The codes of a signature that AWS refuses; a clock that is off is one of the reasons.
const SIGNATURE_CODES: [&str; 4] =
    ["RequestTimeTooSkewed", "InvalidSignatureException", "RequestExpired", "SignatureDoesNotMatch"];

/// AWS accepts signatures that are up to five minutes old; a minute less allows for the way of the answer.
const SKEW: i64 = 4;

/// By how many minutes this host's clock is behind AWS, when that is why a signature was refused (fault 36):
/// AWS's own time is in its answer. The SDK corrects a clock by that and signs again; this is for what is
/// refused all the same.
pub(crate) fn clock_skew(code: &str, answer: Option<&HttpResponse>) -> Option<i64> {
    let date = answer?.headers().get("date")?;
    let theirs = DateTime::from_str(date, DateTimeFormat::HttpDate).ok()?.secs();
    let minutes = (theirs - Timestamp::now().as_second()) / 60;
    (SIGNATURE_CODES.contains(&code) && minutes.abs() >= SKEW).then_some(minutes)
}
