//! Reading and writing whole records. Every read is consistent and pages to the end.

use aws_sdk_dynamodb::types::{AttributeValue, Get, TransactGetItem};
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

/// What is asked of a partition.
#[derive(Debug, Clone, Copy)]
struct Question<'a> {
    table: &'a str,
    /// The names of hash and range key.
    keys: [&'a str; 2],
    partition: &'a str,
    range: Range<'a>,
    /// Only these attributes; all for an empty list.
    attributes: &'a [&'a str],
}

impl Store {
    pub(crate) fn on_state(&self, verb: &'static str, key: &StateKey) -> Operation {
        Operation { verb, table: self.tables.state.clone(), key: key.display() }
    }

    /// All items of one partition of the state table.
    pub(crate) async fn query_state(&self, pk: &str, range: Range<'_>) -> Result<Vec<Item>, StoreError> {
        let operation = || Operation { verb: "read", table: self.tables.state.clone(), key: pk.to_owned() };
        let keys = ["Pk", "Sk"];
        let question = Question { table: &self.tables.state, keys, partition: pk, range, attributes: &[] };
        self.query(question, operation).await
    }

    /// Items of one partition of the config table.
    pub(crate) async fn query_config(
        &self,
        partition: &str,
        range: Range<'_>,
    ) -> Result<Vec<Item>, StoreError> {
        self.query_config_for(partition, range, &[]).await
    }

    /// The same, with only these attributes of the items.
    pub(crate) async fn query_config_for(
        &self,
        partition: &str,
        range: Range<'_>,
        attributes: &[&str],
    ) -> Result<Vec<Item>, StoreError> {
        let operation =
            || Operation { verb: "read", table: self.tables.config.clone(), key: partition.to_owned() };
        let keys = ["App", "Name"];
        let question = Question { table: &self.tables.config, keys, partition, range, attributes };
        self.query(question, operation).await
    }

    async fn query(
        &self,
        question: Question<'_>,
        operation: impl Fn() -> Operation,
    ) -> Result<Vec<Item>, StoreError> {
        let Question { table, keys: [hash, range_key], partition, range, attributes } = question;
        let (prefix, limit) = match range {
            Range::All => (None, usize::MAX),
            Range::Prefix(prefix) => (Some(prefix), usize::MAX),
            Range::Last(prefix, limit) => (Some(prefix), limit),
            Range::Newest(limit) => (None, limit),
        };
        let condition = if prefix.is_some() { "#h = :h AND begins_with(#r, :p)" } else { "#h = :h" };
        // Attributes go by aliases: many plain words, Name among them, are DynamoDB's own.
        let aliases: Vec<_> = (0..attributes.len()).map(|i| format!("#a{i}")).collect();
        let only = (!aliases.is_empty()).then(|| aliases.join(", "));
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
                .set_projection_expression(only.clone())
                .scan_index_forward(!matches!(range, Range::Last(..) | Range::Newest(_)));
            let named = aliases.iter().zip(attributes);
            let page = named.fold(page, |page, (alias, name)| page.expression_attribute_names(alias, *name));
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

    /// Items of one moment, in the order of their keys; nothing where there is none.
    pub(crate) async fn get_together(
        &self,
        keys: Vec<(&str, Item)>,
        operation: impl Fn() -> Operation,
    ) -> Result<Vec<Option<Item>>, StoreError> {
        let asked = keys.len();
        let get = |(table, key): (&str, Item)| {
            let get = Get::builder().table_name(table).set_key(Some(key)).build();
            TransactGetItem::builder().get(get.expect("table and key are given")).build()
        };
        let gets = keys.into_iter().map(get).collect();
        let answer = self.client.transact_get_items().set_transact_items(Some(gets)).send().await;
        let answer = answer.map_err(|error| StoreError::from_sdk(operation(), error))?;
        let items: Vec<_> =
            answer.responses.unwrap_or_default().into_iter().map(|response| response.item).collect();
        if items.len() != asked {
            let source = format!("{} answers to {asked} questions", items.len()).into();
            return Err(StoreError::Malformed { operation: operation(), source });
        }
        Ok(items)
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
