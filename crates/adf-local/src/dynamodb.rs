//! DynamoDB as ADF meets it: the off-the-shelf in-memory service, and before it what that one lacks.
//!
//! - a page of Query or Scan ends at 1 MB, before the filter, with a `LastEvaluatedKey` ([`page`]);
//! - an item above 400 KB is refused ([`size`]);
//! - binary values are compared ([`binary`]);
//! - a condition and its write are one step, also between two requests at the same time;
//! - a call costs as much as it reads, not as much as the tables hold ([`quiet`]).
//!
//! Source: "Service, account, and table quotas in Amazon DynamoDB" and the API reference of each operation.

mod binary;
mod page;
mod quiet;
mod size;

use std::fmt;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use winterbaume_core::{MockRequest, MockResponse};

use binary::Service;

/// The DynamoDB of one account.
#[derive(Default)]
pub struct DynamoDb {
    /// The service looks at a condition and writes in two steps; one request at a time makes that one step.
    service: Mutex<Service>,
}

impl DynamoDb {
    pub async fn handle(&self, request: MockRequest) -> MockResponse {
        let service = self.service.lock().await;
        let operation = operation(&request);
        // Reading JSON is most of what a call costs here, and a body below the limit has no item above it.
        let matters = matches!(operation.as_str(), "Query" | "Scan" | "UpdateItem");
        if !matters && request.body.len() <= size::ITEM {
            return service.handle(request).await;
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(&request.body) else {
            return service.handle(request).await;
        };
        if let Some(too_large) = size::refused(&operation, &body) {
            return too_large;
        }
        match operation.as_str() {
            "Query" | "Scan" => page::read(&service, request, &mut body).await,
            "UpdateItem" => size::update(&service, request, &body).await,
            _ => service.handle(request).await,
        }
    }
}

impl fmt::Debug for DynamoDb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynamoDb")
    }
}

/// `Query` of `X-Amz-Target: DynamoDB_20120810.Query`.
fn operation(request: &MockRequest) -> String {
    let target = request.headers.get("x-amz-target").and_then(|v| v.to_str().ok()).unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default().to_owned()
}

/// The same request for another operation and body.
fn asking(request: &MockRequest, operation: &str, body: &Value) -> MockRequest {
    let mut asked = request.clone();
    let target = format!("DynamoDB_20120810.{operation}");
    asked.headers.insert("x-amz-target", target.parse().expect("operations are plain words"));
    asked.body = Bytes::from(body.to_string());
    asked
}

fn validation_error(message: &str) -> MockResponse {
    let body = json!({ "__type": "com.amazon.coral.validate#ValidationException", "message": message });
    MockResponse::json(400, body.to_string())
}
