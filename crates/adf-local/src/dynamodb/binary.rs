//! Binary attributes that can be compared. The off-the-shelf service stores them and finds no two of them equal, so every
//! condition on one fails; here they are stored as marked texts, whose equality is that of the bytes.
//!
//! Their order is that of the base64 text, and no table has one as its key: ADF needs neither.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use winterbaume_core::{MockRequest, MockResponse, MockService as _};
use winterbaume_dynamodb::DynamoDbService;

use super::quiet::Quiet;

/// Begins a text that stands for bytes. A noncharacter of Unicode, which is in no text of anybody.
const MARK: &str = "\u{fdd0}";

/// The service, as everything else of this folder sees it.
pub(super) struct Service(DynamoDbService);

impl Default for Service {
    fn default() -> Self {
        Self(DynamoDbService::with_backend(Arc::new(Quiet::new())))
    }
}

impl Service {
    pub(super) async fn handle(&self, request: MockRequest) -> MockResponse {
        let mut answer = self.0.handle(rewritten(request)).await;
        if has(&answer.body, MARK)
            && let Some(body) = with(&answer.body, &mut come_out)
        {
            answer.body = body;
        }
        answer
    }
}

fn rewritten(mut request: MockRequest) -> MockRequest {
    if has(&request.body, "\"B\"")
        && let Some(body) = with(&request.body, &mut go_in)
    {
        request.body = body;
    }
    request
}

/// Most bodies have no bytes, and reading JSON is most of what a call costs here.
fn has(body: &[u8], what: &str) -> bool {
    std::str::from_utf8(body).is_ok_and(|body| body.contains(what))
}

/// The body with `change` made to its objects; nothing when it made none.
fn with(body: &Bytes, change: &mut dyn FnMut(&mut Value) -> bool) -> Option<Bytes> {
    let mut value = serde_json::from_slice(body).ok()?;
    walk(&mut value, change).then(|| Bytes::from(value.to_string()))
}

fn walk(value: &mut Value, change: &mut dyn FnMut(&mut Value) -> bool) -> bool {
    if change(value) {
        return true;
    }
    let mut changed = false;
    match value {
        Value::Object(object) => object.values_mut().for_each(|value| changed |= walk(value, change)),
        Value::Array(array) => array.iter_mut().for_each(|value| changed |= walk(value, change)),
        _ => {}
    }
    changed
}

fn go_in(value: &mut Value) -> bool {
    let Some(base64) = text(value, "B") else { return false };
    *value = json!({ "S": format!("{MARK}{base64}") });
    true
}

fn come_out(value: &mut Value) -> bool {
    let Some(base64) = text(value, "S").and_then(|text| text.strip_prefix(MARK)) else { return false };
    *value = json!({ "B": base64 });
    true
}

/// Of `{"B": "aGk="}` the text. An attribute that is *called* B has an object as its value.
fn text<'a>(value: &'a Value, of: &str) -> Option<&'a str> {
    value.as_object().filter(|object| object.len() == 1)?.get(of)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_go_in_as_marked_texts_and_come_out_as_bytes() {
        let item = json!({ "Item": { "B": { "B": "aGk=" }, "S": { "S": "B" }, "M": { "M": { "x": { "B": "" } } } } });
        let original = Bytes::from(item.to_string());
        let stored = with(&original, &mut go_in).expect("two are binary");
        let stored_item: Value = serde_json::from_slice(&stored).expect("JSON");
        assert_eq!(stored_item["Item"]["B"]["S"], format!("{MARK}aGk="));
        let back = with(&stored, &mut come_out).expect("two are marked");
        assert_eq!(serde_json::from_slice::<Value>(&back).expect("JSON"), item);
    }

    #[test]
    fn a_body_without_bytes_is_left_alone() {
        let body = Bytes::from(json!({ "Key": { "App": { "S": "web" } } }).to_string());
        assert_eq!(with(&body, &mut go_in), None);
    }
}
