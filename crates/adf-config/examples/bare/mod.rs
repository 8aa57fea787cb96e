//! The rival: a layer of config read with the AWS SDK alone, as anybody would write it who knows that a Query pages.

use std::collections::HashMap;
use std::error::Error;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// Every item of the app's Base config.
pub(crate) async fn read(client: &Client, app: &str) -> Result<Vec<Item>, Box<dyn Error>> {
    let mut items = Vec::new();
    let mut start = None;
    loop {
        let page = client
            .query()
            .table_name("adf-config")
            .consistent_read(true)
            .key_condition_expression("App = :app")
            .expression_attribute_values(":app", AttributeValue::S(app.to_owned()))
            .set_exclusive_start_key(start)
            .send()
            .await?;
        items.extend(page.items.unwrap_or_default());
        start = page.last_evaluated_key;
        if start.is_none() {
            return Ok(items);
        }
    }
}
