//! What DynamoDB can hold, checked before anything is sent.
//!
//! Sizes are counted as DynamoDB counts them: the UTF-8 bytes of every attribute's name and value. Source: "DynamoDB
//! item sizes and formats" and "Service, account, and table quotas" of the DynamoDB developer guide.

use std::collections::BTreeMap;

use adf_types::ConfigName;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use super::change::{Before, Content};
use crate::error::StoreError;
use crate::keys::Item;

/// An item of 400 KB, less what a record of the history adds: a value must fit there as well once it is replaced.
pub(super) const MOST_IN_AN_ITEM: usize = 380_000;

/// All items of a transaction together: 4 MB.
const MOST_IN_A_CHANGE: usize = 4 << 20;

/// What a list or map, and each element of one, takes beside its content.
const STRUCTURE: usize = 3;

/// Names in one part of a change of many, some less than a change takes: its record may need their places.
const NAMES_IN_A_PART: usize = 85;

/// Bytes in one part: what the names were, which the history keeps, and what they are to be.
const BYTES_IN_A_PART: usize = 3_500_000;

/// A change of many names as several that DynamoDB takes, in the order of the names.
pub(super) fn parts(
    read: &Before,
    edit: &(dyn Fn(&ConfigName, Option<&Item>) -> Content + Sync),
) -> Vec<Before> {
    let mut parts: Vec<Before> = Vec::new();
    let mut filled = 0;
    for (name, was) in read {
        let is = edit(name, was.as_ref());
        let bytes = was.as_ref().map_or(0, item) + is.as_ref().map_or(0, item);
        let full = parts.last().is_none_or(|part| part.len() >= NAMES_IN_A_PART);
        if full || filled + bytes > BYTES_IN_A_PART {
            parts.push(BTreeMap::new());
            filled = 0;
        }
        filled += bytes;
        if let Some(part) = parts.last_mut() {
            part.insert(name.clone(), was.clone());
        }
    }
    parts
}

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

/// The same of a value that is yet to be stored, or encrypted, which makes it some larger.
pub(super) fn check_value(layer: &str, name: &ConfigName, value: &str) -> Result<(), StoreError> {
    let item = Item::from([("Value".to_owned(), AttributeValue::S(value.to_owned()))]);
    check_item(layer, name, Some(&item))
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
