//! Requests of DynamoDB: which table, and which partitions (`dynamodb:LeadingKeys`).
//!
//! Source: <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html>;
//! a transaction needs the permission of each of its parts:
//! <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>

use serde_json::Value;

use super::call::{Call, arn};
use crate::cloud::Cloud;

/// The partition keys of ADF's tables. A request of a table with another one has no leading key here, which a policy
/// must not take for leave: there are none but these two.
const HASH_KEYS: [&str; 2] = ["App", "Pk"];

pub(super) fn calls(cloud: &Cloud, operation: &str, body: &Value) -> Vec<Call> {
    let parts = body["TransactItems"].as_array();
    match (operation, parts) {
        ("TransactGetItems" | "TransactWriteItems", Some(parts)) => {
            parts.iter().flat_map(|part| of_part(cloud, part)).collect()
        }
        _ => vec![call(cloud, operation, body)],
    }
}

/// `{"Put": {...}}` of a transaction.
fn of_part(cloud: &Cloud, part: &Value) -> Vec<Call> {
    let action = |kind: &str| match kind {
        "Get" => "GetItem",
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        "Delete" => "DeleteItem",
        _ => "ConditionCheckItem",
    };
    let parts = part.as_object().into_iter().flatten();
    parts.map(|(kind, body)| call(cloud, action(kind), body)).collect()
}

fn call(cloud: &Cloud, operation: &str, body: &Value) -> Call {
    let table = body["TableName"].as_str().unwrap_or_default();
    let call = Call::new(format!("dynamodb:{operation}"), arn(cloud, "dynamodb", &format!("table/{table}")));
    match leading_key(body) {
        Some(key) => call.with("dynamodb:LeadingKeys", key),
        None => call,
    }
}

fn leading_key(body: &Value) -> Option<&str> {
    let of_item = HASH_KEYS
        .iter()
        .find_map(|key| body["Key"][key]["S"].as_str().or_else(|| body["Item"][key]["S"].as_str()));
    of_item.or_else(|| of_query(body))
}

/// The value that a key condition compares the partition key with.
fn of_query(body: &Value) -> Option<&str> {
    let clauses = body["KeyConditionExpression"].as_str()?.split(" AND ");
    clauses.filter_map(|clause| clause.split_once('=')).find_map(|(name, value)| {
        let name = name.trim();
        let name = body["ExpressionAttributeNames"][name].as_str().unwrap_or(name);
        let is_hash = HASH_KEYS.contains(&name);
        is_hash.then(|| body["ExpressionAttributeValues"][value.trim()]["S"].as_str())?
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn seen(operation: &str, body: &Value) -> Vec<String> {
        let cloud = Cloud::new("us-east-1", Timestamp::UNIX_EPOCH);
        let shown = |call: Call| {
            let key = call.keys.get("dynamodb:LeadingKeys").map_or("-".to_owned(), |keys| keys.join(","));
            format!("{} {key}", call.action)
        };
        calls(&cloud, operation, body).into_iter().map(shown).collect()
    }

    #[test]
    fn a_query_names_its_partition() {
        let body = json!({
            "KeyConditionExpression": "#h = :h AND begins_with(#r, :p)",
            "ExpressionAttributeNames": { "#h": "App", "#r": "Name" },
            "ExpressionAttributeValues": { ":h": { "S": "web" }, ":p": { "S": "F" } },
        });
        assert_eq!(seen("Query", &body), ["dynamodb:Query web"]);
    }

    #[test]
    fn each_part_of_a_transaction_is_a_call() {
        let body = json!({ "TransactItems": [
            { "Put": { "TableName": "adf-config", "Item": { "App": { "S": "web" } } } },
            { "Delete": { "TableName": "adf-config", "Key": { "App": { "S": "web@v1" } } } },
            { "Update": { "TableName": "adf-state", "Key": { "Pk": { "S": "web" } } } },
        ] });
        let calls = ["dynamodb:PutItem web", "dynamodb:DeleteItem web@v1", "dynamodb:UpdateItem web"];
        assert_eq!(seen("TransactWriteItems", &body), calls);
    }

    #[test]
    fn a_scan_has_no_partition() {
        assert_eq!(seen("Scan", &json!({ "TableName": "adf-config" })), ["dynamodb:Scan -"]);
    }
}
