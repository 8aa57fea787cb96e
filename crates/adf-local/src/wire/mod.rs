//! The Query protocols in front of the model: what the AWS SDKs, CLI and boto3 send and read.
//!
//! Neighbours: `cloud` routes a request here by the service its signature names; the folders `ec2`, `autoscaling` and `elb` hold one
//! dispatch each and one file per noun. Requests are read and answers written by the generated code of the `winterbaume`
//! crates; this code maps between their types and the model's, and decides nothing. Errors are the only XML written here.
//!
//! To add an operation: a line in the service's dispatch and a function in its noun's file.

mod answer;
mod autoscaling;
mod ec2;
mod elb;
mod page;
mod params;

use jiff::Timestamp;
use winterbaume_core::MockResponse;

use crate::model::{ApiError, Model};
use answer::Answer;
use params::Params;

/// The services whose state the model holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Ec2,
    AutoScaling,
    Elb,
}

/// Answers one Query request (a form-encoded body) at the time `now`.
pub fn handle(model: &mut Model, service: Service, body: &[u8], now: Timestamp) -> MockResponse {
    model.tick(now);
    let answer = dispatch(model, service, body, now);
    // What an operation left due at once has happened by the time its caller reads again.
    model.tick(now);
    answer.unwrap_or_else(|error| answer::refusal(service, &error))
}

fn dispatch(model: &mut Model, service: Service, body: &[u8], now: Timestamp) -> Answer {
    let params = params::parse(body);
    let action = params
        .get("Action")
        .cloned()
        .ok_or_else(|| ApiError::new("MissingAction", "The request must contain the parameter Action"))?;
    let mut request = Request { model, params, now };
    match service {
        Service::Ec2 => ec2::dispatch(&action, &mut request),
        Service::AutoScaling => autoscaling::dispatch(&action, &mut request),
        Service::Elb => elb::dispatch(&action, &mut request),
    }
}

/// One request on its way to the model.
struct Request<'a> {
    model: &'a mut Model,
    params: Params,
    now: Timestamp,
}

/// The answer of a service to a caller who lacks a permission, by the service's name in a signature.
pub(crate) fn denial(service: &str, message: &str) -> MockResponse {
    let forbidden = |code| ApiError { code, status: 403, message: message.to_owned() };
    match service {
        "ec2" => answer::refusal(Service::Ec2, &forbidden("UnauthorizedOperation")),
        "autoscaling" => answer::refusal(Service::AutoScaling, &forbidden("AccessDenied")),
        "elasticloadbalancing" => answer::refusal(Service::Elb, &forbidden("AccessDenied")),
        "s3" => answer::s3_refusal(&forbidden("AccessDenied")),
        _ => {
            let body = serde_json::json!({ "__type": "AccessDeniedException", "message": message });
            MockResponse::json(400, body.to_string())
        }
    }
}

fn unknown_action(action: &str) -> ApiError {
    let text =
        format!("The action {action} is not valid for this web service, or adf-local does not play it.");
    ApiError::new("InvalidAction", text)
}
