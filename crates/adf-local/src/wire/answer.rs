//! Answers and refusals, and the small conversions that every file of `wire` needs.

use jiff::Timestamp;
use winterbaume_core::MockResponse;
use winterbaume_core::protocol::{aws_query_error_response, xml_escape};

use super::Service;
use crate::model::ApiError;

/// What a handler gives back.
pub(super) type Answer = Result<MockResponse, ApiError>;

/// The error document of the service's protocol.
pub(super) fn refusal(service: Service, error: &ApiError) -> MockResponse {
    failure(service, error.status, error.code, &error.message)
}

/// The same for any code.
pub(super) fn failure(service: Service, status: u16, code: &str, message: &str) -> MockResponse {
    let namespace = match service {
        Service::Ec2 => return ec2_failure(status, code, message),
        Service::AutoScaling => "http://autoscaling.amazonaws.com/doc/2011-01-01/",
        Service::Elb => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
    };
    aws_query_error_response(status, code, message, namespace)
}

/// EC2 has a form of its own.
fn ec2_failure(status: u16, code: &str, message: &str) -> MockResponse {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{}</Code><Message>{}</Message></Error></Errors><RequestID>{}</RequestID></Response>",
        xml_escape(code),
        xml_escape(message),
        uuid::Uuid::new_v4()
    );
    MockResponse::xml(status, xml)
}

/// S3's form: an error and nothing around it.
pub(super) fn s3_refusal(error: &ApiError) -> MockResponse {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>",
        xml_escape(error.code),
        xml_escape(&error.message)
    );
    MockResponse::xml(error.status, xml)
}

/// What the generated code says when a parameter is not of its type.
pub(super) fn malformed(problem: String) -> ApiError {
    ApiError::new("InvalidParameterValue", problem)
}

/// AWS's timestamps: milliseconds, UTC.
pub(super) fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// A size or number that may not be negative.
pub(super) fn count(value: i32, name: &str) -> Result<u32, ApiError> {
    u32::try_from(value).map_err(|_| {
        ApiError::validation(format!(
            "1 validation error detected: Value '{value}' at '{name}' failed to satisfy constraint: Member must have value greater than or equal to 0"
        ))
    })
}

/// A TCP port.
pub(super) fn port(value: Option<i32>) -> Result<u16, ApiError> {
    let port = value.and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
    port.ok_or_else(|| {
        let given = value.map_or("none".to_owned(), |value| value.to_string());
        ApiError::validation(format!("Port must be between 1 and 65535, but is {given}"))
    })
}

/// The wire's integers for what the model counts in unsigned ones.
pub(super) fn int<T: TryInto<i32>>(value: T) -> i32 {
    value.try_into().unwrap_or(i32::MAX)
}

/// Empty strings are what the generated code makes of absent required parameters.
pub(super) fn present(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
