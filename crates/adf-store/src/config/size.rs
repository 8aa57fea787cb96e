//! What DynamoDB can hold, checked before anything is sent.
//!
//! Sizes are counted as DynamoDB counts them: the UTF-8 bytes of every attribute's name and value. Source: "DynamoDB
//! item sizes and formats" and "Service, account, and table quotas" of the DynamoDB developer guide.

use adf_types::ConfigName;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use crate::error::StoreError;
use crate::keys::Item;

/// An item of 400 KB, less what a record of the history adds: a value must fit there as well once it is replaced.
pub(super) const MOST_IN_AN_ITEM: usize = 380_000;

/// All items of a transaction together: 4 MB.
const MOST_IN_A_CHANGE: usize = 4 << 20;

/// What a list or map, and each element of one, takes beside its content.
const STRUCTURE: usize = 3;

pub(super) fn check_item(layer: &str, name: &ConfigName, content: Option<&Item>) -> Result<(), StoreError> {
    let bytes = name.as_str().len() + content.map_or(0, item);
    if bytes > MOST_IN_AN_ITEM {
        return Err(StoreError::TooLarge {
            what: format!("config {layer}/{name}"),
            bytes,
            max: MOST_IN_AN_ITEM,
        });
    }
    Ok(())
}

pub(super) fn check_change(writes: &[TransactWriteItem], history: &[Item]) -> Result<(), StoreError> {
    let put = writes.iter().filter_map(|write| write.put()).map(|put| item(put.item()));
    let bytes = put.chain(history.iter().map(item)).sum();
    if bytes > MOST_IN_A_CHANGE {
        let what = "the change, with what the names were before,".to_owned();
        return Err(StoreError::TooLarge { what, bytes, max: MOST_IN_A_CHANGE });
    }
    Ok(())
}

pub(super) fn item(item: &Item) -> usize {
    item.iter().map(|(name, of)| name.len() + value(of)).sum()
}

fn value(value: &AttributeValue) -> usize {
    match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        AttributeValue::B(bytes) => bytes.as_ref().len(),
        AttributeValue::M(map) => STRUCTURE + item(map) + map.len(),
        _ => 1,
    }
}
