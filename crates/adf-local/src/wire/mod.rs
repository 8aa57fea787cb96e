//! The Query protocols in front of the model.

use jiff::Timestamp;
use winterbaume_core::MockResponse;

use crate::model::Model;

/// The services whose state the model holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    Ec2,
    AutoScaling,
    Elb,
}

/// Answers one Query request.
pub fn handle(model: &mut Model, service: Service, body: &[u8], now: Timestamp) -> MockResponse {
    model.tick(now);
    let _ = (service, body);
    MockResponse::error(400, "InvalidAction", "not written yet")
}
