//! How large an item is for DynamoDB, and the refusal of one above 400 KB.
//!
//! Source: "DynamoDB item sizes and formats": names count as UTF-8, numbers one byte for two digits and one more,
//! null and booleans one byte, lists and maps 3 bytes and one for each element.

use base64::Engine as _;
use serde_json::{Value, json};
use winterbaume_core::{MockRequest, MockResponse};

use super::binary::Service;
use super::{asking, validation_error};

/// What one item may hold, names included.
pub(super) const ITEM: usize = 400 * 1024;

/// The refusal of a request that writes whole items of which one is too large.
pub(super) fn refused(operation: &str, body: &Value) -> Option<MockResponse> {
    let too_large = match operation {
        "PutItem" => of_item(&body["Item"]) > ITEM,
        "BatchWriteItem" => {
            let requests = body["RequestItems"].as_object()?.values().filter_map(Value::as_array).flatten();
            requests.map(|request| of_item(&request["PutRequest"]["Item"])).any(|size| size > ITEM)
        }
        "TransactWriteItems" => {
            let items = body["TransactItems"].as_array()?;
            items.iter().map(|item| of_item(&item["Put"]["Item"])).any(|size| size > ITEM)
        }
        _ => false,
    };
    too_large.then(|| validation_error("Item size has exceeded the maximum allowed size"))
}

/// `UpdateItem` makes an item that nobody sees before it is written, so a too large one is taken back.
pub(super) async fn update(service: &Service, request: MockRequest, body: &Value) -> MockResponse {
    let key = json!({ "TableName": body["TableName"], "Key": body["Key"], "ConsistentRead": true });
    let before = service.handle(asking(&request, "GetItem", &key)).await;
    if at_most(&before, &request, body) <= ITEM {
        return service.handle(request).await;
    }
    let before = item(&before);
    let answer = service.handle(request.clone()).await;
    let after = item(&service.handle(asking(&request, "GetItem", &key)).await);
    if after.is_none_or(|after| of_item(&after) <= ITEM) {
        return answer;
    }
    let restore = match before {
        Some(before) => {
            asking(&request, "PutItem", &json!({ "TableName": body["TableName"], "Item": before }))
        }
        None => {
            asking(&request, "DeleteItem", &json!({ "TableName": body["TableName"], "Key": body["Key"] }))
        }
    };
    service.handle(restore).await;
    validation_error("Item size to update has exceeded the maximum allowed size")
}

/// What the update can make of the item at most: JSON is never shorter than DynamoDB's own count, and each copy that an
/// expression makes of what is there has a sign of its own.
fn at_most(before: &MockResponse, request: &MockRequest, body: &Value) -> usize {
    let expression = body["UpdateExpression"].as_str().unwrap_or_default();
    let copies = expression.matches(['=', ',']).count();
    before.body.len() * (1 + copies) + request.body.len()
}

fn item(answer: &MockResponse) -> Option<Value> {
    let mut answer: Value = serde_json::from_slice(&answer.body).ok()?;
    answer.get_mut("Item").map(Value::take).filter(Value::is_object)
}

/// The size of an item in DynamoDB's JSON; 0 of anything else.
pub(super) fn of_item(item: &Value) -> usize {
    item.as_object().map_or(0, |fields| fields.iter().map(|(name, value)| name.len() + of_value(value)).sum())
}

fn of_value(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|fields| fields.iter().next()) else { return 0 };
    match kind.as_str() {
        "S" => text(value),
        "N" => number(value),
        "B" => binary(value),
        "SS" => elements(value).map(text).sum(),
        "NS" => elements(value).map(number).sum(),
        "BS" => elements(value).map(binary).sum(),
        "L" => 3 + elements(value).map(|element| 1 + of_value(element)).sum::<usize>(),
        "M" => 3 + of_item(value) + value.as_object().map_or(0, serde_json::Map::len),
        _ => 1,
    }
}

fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> usize {
    value.as_str().map_or(0, str::len)
}

fn number(value: &Value) -> usize {
    let digits = value.as_str().unwrap_or_default().chars().filter(char::is_ascii_digit).count();
    digits.div_ceil(2) + 1
}

fn binary(value: &Value) -> usize {
    let text = value.as_str().unwrap_or_default();
    base64::engine::general_purpose::STANDARD.decode(text).map_or(text.len(), |bytes| bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_counted_as_documented() {
        let item = json!({
            "Pk": { "S": "grün" }, "N": { "N": "-123.45" }, "B": { "B": "AAEC" }, "T": { "BOOL": true },
            "L": { "L": [{ "S": "ab" }, { "NULL": true }] }, "M": { "M": { "k": { "S": "v" } } }, "SS": { "SS": ["a", "bc"] },
        });
        let names = 2 + 1 + 1 + 1 + 1 + 1 + 2;
        assert_eq!(of_item(&item), names + 5 + 4 + 3 + 1 + (3 + 1 + 2 + 1 + 1) + (3 + 1 + 1 + 1) + 3);
    }
}
