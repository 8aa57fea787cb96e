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
mod weather;

use jiff::Timestamp;
use winterbaume_core::MockResponse;

use crate::model::{ApiError, Model};
use answer::Answer;
use page::Page;
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
    let answered = dispatch(model, service, body, now);
    // What an operation left due at once has happened by the time its caller reads again.
    model.tick(now);
    answered.unwrap_or_else(|error| answer::refusal(service, &error))
}

fn dispatch(model: &mut Model, service: Service, body: &[u8], now: Timestamp) -> Answer {
    let params = params::parse(body);
    let action = params
        .get("Action")
        .cloned()
        .ok_or_else(|| ApiError::new("MissingAction", "The request must contain the parameter Action"))?;
    weather::admit(model, service, &action, &params, now)?;
    let short = model.short_page();
    let reads = action.starts_with("Describe");
    if reads && let Some(mut past) = model.seen(now) {
        return answer(&action, service, &mut Request { model: &mut past, params, now, short });
    }
    if !reads {
        weather::check_known(model, service, &params, now)?;
    }
    answer(&action, service, &mut Request { model, params, now, short })
}

fn answer(action: &str, service: Service, request: &mut Request<'_>) -> Answer {
    match service {
        Service::Ec2 => ec2::dispatch(action, request),
        Service::AutoScaling => autoscaling::dispatch(action, request),
        Service::Elb => elb::dispatch(action, request),
    }
}

/// One request on its way to the model.
struct Request<'a> {
    /// The present; for a read, the state that it sees.
    model: &'a mut Model,
    params: Params,
    now: Timestamp,
    /// The share of a page, in thousandths, that this answer holds.
    short: Option<usize>,
}

impl Request<'_> {
    /// Cuts the page that was asked for.
    fn page<T>(
        &self,
        all: Vec<T>,
        key: impl Fn(&T) -> String,
        token: Option<&str>,
        size: Option<i32>,
        most: usize,
    ) -> Result<Page<T>, ApiError> {
        page::page(all, key, token, page::size(size, most), self.short)
    }
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
