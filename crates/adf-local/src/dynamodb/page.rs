//! Pages of Query and Scan: at most 1 MB of items, counted before filter and projection, at least one item.

use serde_json::{Value, json};
use winterbaume_core::{MockRequest, MockResponse};

use super::binary::Service;
use super::{asking, operation, size};

/// What one page may hold.
const PAGE: usize = 1024 * 1024;

/// Answers a Query or Scan with one page; `body` is the request's, decoded.
pub(super) async fn read(service: &Service, request: MockRequest, body: &mut Value) -> MockResponse {
    let unfiltered = unfiltered(body);
    let filters = unfiltered != *body;
    let asked = if filters { asking(&request, &operation(&request), &unfiltered) } else { request.clone() };
    let whole = service.handle(asked).await;
    // JSON is never shorter than DynamoDB's own count, so a short answer needs no closer look.
    if whole.status != 200 || whole.body.len() <= PAGE {
        return if filters { service.handle(request).await } else { whole };
    }
    if let Some(limit) = serde_json::from_slice(&whole.body).ok().and_then(|answer| fitting(&answer)) {
        body["Limit"] = json!(limit);
    }
    service.handle(asking(&request, &operation(&request), body)).await
}

/// The same read without what comes after the page is cut.
fn unfiltered(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        for field in
            ["FilterExpression", "ProjectionExpression", "AttributesToGet", "QueryFilter", "ScanFilter"]
        {
            fields.remove(field);
        }
    }
    body
}

/// How many of the answer's items make the page; `None` when all do.
fn fitting(answer: &Value) -> Option<usize> {
    let items = answer["Items"].as_array()?;
    let mut total = 0;
    let over = items.iter().position(|item| {
        total += size::of_item(item);
        total > PAGE
    })?;
    Some(over.max(1))
}
