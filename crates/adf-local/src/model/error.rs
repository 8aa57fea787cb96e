//! What an AWS API answers when it refuses a call.
//!
//! Neighbours: every operation of the model returns one; `wire` writes it in the XML of the service's protocol.
//! The code and the text are the caller's contract, so they are AWS's own words where `aws.md` records them.

/// A refused call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// AWS's error code, for example `InvalidInstanceID.NotFound`.
    pub code: &'static str,
    /// HTTP status, 400 for nearly all of them.
    pub status: u16,
    /// AWS's message.
    pub message: String,
}

impl ApiError {
    /// A sender fault, HTTP 400.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, status: 400, message: message.into() }
    }

    /// The code Auto Scaling uses for nearly every refusal; the SDKs have no type for it.
    pub fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationError", message)
    }

    /// EC2's and Elastic Load Balancing's answer to a parameter that is absent.
    pub fn missing(name: &str) -> Self {
        Self::new("MissingParameter", format!("The request must contain the parameter {name}"))
    }
}
