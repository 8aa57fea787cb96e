//! What can go wrong with a call to AWS, sorted by what can be done about it.

use std::error::Error;
use std::fmt;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

/// The operation and what it was done to: `EnterStandby group web`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub operation: &'static str,
    pub target: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation, self.target)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// No answer, or an answer that the service itself is in trouble. May be tried again.
    #[error("{call}: AWS did not answer: {detail}")]
    Unreachable { call: Call, detail: String },
    /// Too many calls in this account. May be tried again, later.
    #[error("{call}: AWS throttles calls of this account: {code}")]
    Throttled { call: Call, code: String },
    /// The credentials are missing, expired, or not allowed to do this.
    #[error("{call}: AWS refused the credentials: {code}: {message}")]
    Denied { call: Call, code: String, message: String },
    #[error("{call}: not found: {message}")]
    NotFound { call: Call, message: String },
    /// The request is at odds with the state of things.
    #[error("{call}: refused: {code}: {message}")]
    Refused { call: Call, code: String, message: String },
    #[error("{call}: the answer lacks {what}")]
    Incomplete { call: Call, what: &'static str },
}

impl AwsError {
    /// Whether the same call may succeed later without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Throttled { .. })
    }

    pub fn is_throttled(&self) -> bool {
        matches!(self, Self::Throttled { .. })
    }

    /// Whether AWS could not be reached or did not accept who we are.
    pub fn is_no_access(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Denied { .. })
    }

    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether AWS does not know a launch template's version. For one that was just made that is normal for a while, see
    /// "Eventual consistency" in the EC2 API reference; EC2 says it by a code, Auto Scaling in its message.
    pub fn is_unknown_version(&self) -> bool {
        let (Self::NotFound { message, .. } | Self::Refused { message, .. }) = self else { return false };
        message.contains("Could not find launch template version")
    }

    /// Whether the refusal has this code. Auto Scaling adds "Fault" to some of those that its reference names.
    pub fn is_code(&self, wanted: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code.trim_end_matches("Fault") == wanted)
    }

    /// Whether the refusal's message holds `words`; Auto Scaling tells most of its cases only there.
    pub fn says(&self, words: &str) -> bool {
        matches!(self, Self::Refused { message, .. } if message.contains(words))
    }
}

/// An SDK error in our words: `.map_err(failed("EnterStandby", group))`.
pub(super) fn failed<E, R>(
    operation: &'static str,
    target: impl fmt::Display,
) -> impl FnOnce(SdkError<E, R>) -> AwsError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    let call = Call { operation, target: target.to_string() };
    move |error| match error.as_service_error() {
        Some(service) => classify(call, service.code(), service.message()),
        None => not_answered(call, &error),
    }
}

/// An answer without something that AWS always sends.
pub(super) fn incomplete(operation: &'static str, target: impl fmt::Display, what: &'static str) -> AwsError {
    AwsError::Incomplete { call: Call { operation, target: target.to_string() }, what }
}

/// Codes as listed under "Common errors" of the EC2, Auto Scaling and Elastic Load Balancing API
/// references; `ResourceContention` is sent with status 500 and means "again, later".
fn classify(call: Call, code: Option<&str>, message: Option<&str>) -> AwsError {
    let (code, message) = (code.unwrap_or("unknown").to_owned(), message.unwrap_or("no message").to_owned());
    match code.as_str() {
        // Auto Scaling sends its throttling like any other refusal of a request's content.
        "ValidationError" | "ValidationException" if message.contains("Rate exceeded") => {
            AwsError::Throttled { call, code }
        }
        "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "ResourceContention"
        | "SlowDown" => AwsError::Throttled { call, code },
        "InternalError"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalServiceFault"
        | "ServiceUnavailable"
        | "Unavailable" => AwsError::Unreachable { call, detail: format!("{code}: {message}") },
        "UnauthorizedOperation"
        | "AccessDenied"
        | "AccessDeniedException"
        | "AuthFailure"
        | "InvalidClientTokenId"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "RequestExpired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException"
        | "OptInRequired"
        | "InvalidAccessKeyId" => AwsError::Denied { call, code, message },
        _ if code.contains("NotFound") || code.starts_with("NoSuch") => AwsError::NotFound { call, message },
        _ => AwsError::Refused { call, code, message },
    }
}

fn not_answered(call: Call, error: &(dyn Error + 'static)) -> AwsError {
    let mut causes = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    let detail = if causes.is_empty() { error.to_string() } else { causes.join(": ") };
    if detail.contains("credential") || detail.contains("token") {
        return AwsError::Denied { call, code: "no credentials".to_owned(), message: detail };
    }
    AwsError::Unreachable { call, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(code: &str) -> AwsError {
        classify(Call { operation: "EnterStandby", target: "web".into() }, Some(code), Some("why"))
    }

    #[test]
    fn codes_are_sorted_by_what_can_be_done() {
        assert!(of("Throttling").is_transient());
        assert!(of("ResourceContention").is_throttled());
        let call = Call { operation: "EnterStandby", target: "web".into() };
        assert!(classify(call, Some("ValidationError"), Some("Rate exceeded")).is_throttled());
        assert!(of("ExpiredToken").is_no_access() && !of("ExpiredToken").is_transient());
        assert!(of("TargetGroupNotFound").is_not_found());
        assert!(of("NoSuchBucket").is_not_found());
        assert!(of("ValidationError").says("why"));
    }

    #[test]
    fn the_message_names_call_and_target() {
        assert_eq!(of("ValidationError").to_string(), "EnterStandby web: refused: ValidationError: why");
    }
}
