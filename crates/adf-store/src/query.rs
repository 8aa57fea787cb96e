//! Reading and writing whole records. Every read is consistent and pages to the end.

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Store;
use crate::error::{Operation, StoreError};
use crate::keys::{Item, StateKey, text};

/// Which items of a partition, and in what order.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Range<'a> {
    All,
    Prefix(&'a str),
    /// The last `n` of a prefix, newest first.
    Last(&'a str, usize),
    /// The last `n`, newest first.
    Newest(usize),
}

impl Store {
    pub(crate) fn on_state(&self, verb: &'static str, key: &StateKey) -> Operation {
        Operation { verb, table: self.tables.state.clone(), key: key.display() }
    }

    /// All items of one partition of the state table.
    pub(crate) async fn query_state(&self, pk: &str, range: Range<'_>) -> Result<Vec<Item>, StoreError> {
        let operation = || Operation { verb: "read", table: self.tables.state.clone(), key: pk.to_owned() };
        self.query(&self.tables.state, ["Pk", "Sk"], pk, range, operation).await
    }

    /// Items of one partition of the config table.
    pub(crate) async fn query_config(
        &self,
        partition: &str,
        range: Range<'_>,
    ) -> Result<Vec<Item>, StoreError> {
        let operation =
            || Operation { verb: "read", table: self.tables.config.clone(), key: partition.to_owned() };
        self.query(&self.tables.config, ["App", "Name"], partition, range, operation).await
    }

    async fn query(
        &self,
        table: &str,
        [hash, range_key]: [&str; 2],
        partition: &str,
        range: Range<'_>,
        operation: impl Fn() -> Operation,
    ) -> Result<Vec<Item>, StoreError> {
        let (prefix, limit) = match range {
            Range::All => (None, usize::MAX),
            Range::Prefix(prefix) => (Some(prefix), usize::MAX),
            Range::Last(prefix, limit) => (Some(prefix), limit),
            Range::Newest(limit) => (None, limit),
        };
        let condition = if prefix.is_some() { "#h = :h AND begins_with(#r, :p)" } else { "#h = :h" };
        let mut items = Vec::new();
        let mut start: Option<Item> = None;
        loop {
            let page = self
                .client
                .query()
                .table_name(table)
                .consistent_read(true)
                .key_condition_expression(condition)
                .expression_attribute_names("#h", hash)
                .expression_attribute_values(":h", text(partition))
                .set_exclusive_start_key(start.take())
                .scan_index_forward(!matches!(range, Range::Last(..) | Range::Newest(_)));
            let page = match prefix {
                Some(prefix) => page
                    .expression_attribute_names("#r", range_key)
                    .expression_attribute_values(":p", text(prefix)),
                None => page,
            };
            let page = page.send().await.map_err(|e| StoreError::from_sdk(operation(), e))?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() || items.len() >= limit {
                items.truncate(limit);
                return Ok(items);
            }
        }
    }

    /// The record at `key`, if there is one.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &StateKey) -> Result<Option<T>, StoreError> {
        let item = self.get_item(key).await?;
        item.map(|item| self.decode(key, item)).transpose()
    }

    pub(crate) async fn get_item(&self, key: &StateKey) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.tables.state)
            .set_key(Some(key.item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk(self.on_state("read", key), e))?;
        Ok(answer.item)
    }

    pub(crate) async fn put<T: Serialize>(&self, key: &StateKey, record: &T) -> Result<(), StoreError> {
        let item = self.encode(key, record)?;
        self.client
            .put_item()
            .table_name(&self.tables.state)
            .set_item(Some(item))
            .send()
            .await
            .map_err(|e| StoreError::from_sdk(self.on_state("write", key), e))?;
        Ok(())
    }

    pub(crate) fn encode<T: Serialize>(&self, key: &StateKey, record: &T) -> Result<Item, StoreError> {
        let fields: Item = serde_dynamo::to_item(record).map_err(|e| StoreError::Malformed {
            operation: self.on_state("write", key),
            source: Box::new(e),
        })?;
        Ok(key.item().into_iter().chain(fields).collect())
    }

    pub(crate) fn decode<T: DeserializeOwned>(&self, key: &StateKey, item: Item) -> Result<T, StoreError> {
        serde_dynamo::from_item(item)
            .map_err(|e| StoreError::Malformed { operation: self.on_state("read", key), source: Box::new(e) })
    }

    /// Every record of a partition, decoded; one that cannot be decoded fails the whole read.
    pub(crate) fn decode_all<T: DeserializeOwned>(
        &self,
        pk: &str,
        items: Vec<Item>,
    ) -> Result<Vec<T>, StoreError> {
        let key = |item: &Item| StateKey { pk: pk.to_owned(), sk: string(item, "Sk").unwrap_or_default() };
        items.into_iter().map(|item| self.decode(&key(&item), item)).collect()
    }
}

pub(crate) fn string(item: &Item, attribute: &str) -> Option<String> {
    item.get(attribute).and_then(|v| v.as_s().ok()).cloned()
}

pub(crate) fn unsigned(item: &Item, attribute: &str) -> Option<u64> {
    item.get(attribute).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok())
}

/// Whether a flag attribute is set.
pub(crate) fn flag(item: &Item, attribute: &str) -> bool {
    matches!(item.get(attribute), Some(AttributeValue::Bool(true)))
}
