//! One change of one layer: all of it or nothing, recorded, and never over what somebody else has just written.
//!
//! A change is one transaction: each name's new item, on the condition that the item is still the one that was read;
//! what the names were before, for the history; and the version, counted up from the one that was read. So two changes
//! of one app are never committed side by side, and the history misses none.

use std::collections::{BTreeMap, HashMap};

use adf_types::{AppName, ConfigName, ReleaseName};
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Get, Put, TransactGetItem, TransactWriteItem};
use jiff::Timestamp;

use super::history::{self, Action, Past};
use super::version;
use crate::Store;
use crate::error::{Operation, StoreError, Written};
use crate::keys::{Item, config_key, layer, number, text};
use crate::query::string;

/// DynamoDB's limit for one transaction.
const MOST_WRITES: usize = 100;

/// Names that change together: the transaction also counts the change and has room for two items of history.
pub(super) const MOST_IN_ONE_CHANGE: usize = MOST_WRITES - 3;

/// How often a change is tried again because another one of the app came in between.
const TRIES: usize = 8;

/// What of an item is config. The rest is who wrote it, and when.
pub(super) const CONTENT: [&str; 5] = ["Value", "Secret", "Unset", "Cleaned", "PurgeAfter"];

/// Attributes of an item without its key, or nothing where there is to be no item.
pub(super) type Content = Option<Item>;

/// What is to change.
pub(super) struct Change<'a> {
    pub(super) app: &'a AppName,
    pub(super) release: Option<&'a ReleaseName>,
    pub(super) action: Action,
    pub(super) names: Vec<ConfigName>,
    /// From what a name is to what it is to be.
    pub(super) edit: &'a (dyn Fn(&ConfigName, Option<&Item>) -> Content + Sync),
}

/// The names of a change as they were when it was read.
type Before = BTreeMap<ConfigName, Option<Item>>;

enum Sent {
    Done,
    /// Another change came first, of these names or of others.
    Overtaken,
}

impl Store {
    /// Makes the change; a change of no names is none. Nothing is written over what another operator wrote after
    /// this call began: then [`StoreError::Overwritten`] says who and when.
    pub(super) async fn change(&self, change: Change<'_>) -> Result<(), StoreError> {
        if change.names.is_empty() {
            return Ok(());
        }
        check_count(change.names.len())?;
        let layer = layer(change.app, change.release);
        let mut first: Option<Before> = None;
        for _ in 0..TRIES {
            // Boxed, both: the SDK's calls are large, and this is awaited deep inside a deploy.
            let (version, before) = Box::pin(self.now(change.app, &layer, &change.names)).await?;
            if let Some(first) = &first {
                untouched(&layer, first, &before)?;
            }
            let writes = self.writes(&change, &layer, version, &before)?;
            match Box::pin(self.send(&change, &layer, writes)).await? {
                Sent::Done => return Ok(()),
                Sent::Overtaken => {
                    first.get_or_insert(before);
                }
            }
        }
        Err(StoreError::Changing { app: change.app.clone(), reads: TRIES })
    }

    /// The version and the names, of one moment.
    async fn now(
        &self,
        app: &AppName,
        layer: &str,
        names: &[ConfigName],
    ) -> Result<(u64, Before), StoreError> {
        let of_names = names.iter().map(|name| config_key(layer, name.as_str()));
        let gets = std::iter::once(version::key(app)).chain(of_names).map(|key| {
            let get = Get::builder().table_name(&self.tables.config).set_key(Some(key)).build();
            TransactGetItem::builder().get(get.expect("table and key are given")).build()
        });
        let answer = self.client.transact_get_items().set_transact_items(Some(gets.collect())).send().await;
        let operation =
            || Operation { verb: "read", table: self.tables.config.clone(), key: layer.to_owned() };
        let answer = answer.map_err(|error| StoreError::from_sdk(operation(), error))?;
        let mut items = answer.responses.unwrap_or_default().into_iter().map(|response| response.item);
        let version = items.next().flatten();
        // One answer for each question, in their order.
        let before: Before = names.iter().cloned().zip(items).collect();
        if before.len() < names.len() {
            let source = "fewer answers than questions".into();
            return Err(StoreError::Malformed { operation: operation(), source });
        }
        Ok((version::of(version.as_ref()), before))
    }

    fn writes(
        &self,
        change: &Change<'_>,
        layer: &str,
        version: u64,
        before: &Before,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let now = Timestamp::now();
        let mut writes = Vec::new();
        for (name, was) in before {
            let is = (change.edit)(name, was.as_ref());
            writes.push(self.replace(layer, name, was.as_ref(), is, now, version + 1));
        }
        let past = Past {
            action: change.action,
            layer,
            at: now,
            version: version + 1,
            by: &self.signature,
            names: before,
        };
        let history = history::items(change.app, &past);
        let room = MOST_WRITES - 1 - history.len();
        if before.len() > room {
            return Err(StoreError::TooMany { count: before.len(), max: room });
        }
        writes.extend(history.into_iter().map(|item| written(self.put_config(item))));
        writes.push(self.count_change(change.app, version));
        Ok(writes)
    }

    /// One name's item, if it still is what it was.
    fn replace(
        &self,
        layer: &str,
        name: &ConfigName,
        was: Option<&Item>,
        is: Content,
        at: Timestamp,
        version: u64,
    ) -> TransactWriteItem {
        let key = config_key(layer, name.as_str());
        let condition = Condition::that(was);
        let Some(content) = is else {
            let delete = Delete::builder()
                .table_name(&self.tables.config)
                .set_key(Some(key))
                .condition_expression(condition.expression)
                .set_expression_attribute_names(condition.names)
                .set_expression_attribute_values(condition.values)
                .build()
                .expect("table and key are given");
            return TransactWriteItem::builder().delete(delete).build();
        };
        let signed =
            [("At", text(at.to_string())), ("By", text(&self.signature.by)), ("Version", number(version))];
        let signed = signed.map(|(attribute, value)| (attribute.to_owned(), value));
        let item = key.into_iter().chain(signed).chain(content).collect();
        let put = self.put_config(item).condition_expression(condition.expression);
        written(
            put.set_expression_attribute_names(condition.names)
                .set_expression_attribute_values(condition.values),
        )
    }

    fn put_config(&self, item: Item) -> PutBuilder {
        Put::builder().table_name(&self.tables.config).set_item(Some(item))
    }

    async fn send(
        &self,
        change: &Change<'_>,
        layer: &str,
        writes: Vec<TransactWriteItem>,
    ) -> Result<Sent, StoreError> {
        let sent = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        match sent {
            Ok(_) => Ok(Sent::Done),
            Err(error) if condition_failed(&error) => Ok(Sent::Overtaken),
            Err(error) => {
                let verb = change.action.verb();
                let operation = Operation { verb, table: self.tables.config.clone(), key: layer.to_owned() };
                Err(StoreError::from_sdk(operation, error))
            }
        }
    }
}

pub(super) fn check_count(count: usize) -> Result<(), StoreError> {
    if count > MOST_IN_ONE_CHANGE {
        return Err(StoreError::TooMany { count, max: MOST_IN_ONE_CHANGE });
    }
    Ok(())
}

/// That an item has the content it was read with.
struct Condition {
    expression: String,
    names: Option<HashMap<String, String>>,
    values: Option<Item>,
}

impl Condition {
    fn that(was: Option<&Item>) -> Self {
        let Some(was) = was else {
            return Self { expression: "attribute_not_exists(App)".to_owned(), names: None, values: None };
        };
        let (mut clauses, mut names, mut values) = (Vec::new(), HashMap::new(), Item::new());
        for attribute in CONTENT {
            names.insert(format!("#{attribute}"), attribute.to_owned());
            clauses.push(match was.get(attribute) {
                Some(value) => {
                    values.insert(format!(":{attribute}"), value.clone());
                    format!("#{attribute} = :{attribute}")
                }
                None => format!("attribute_not_exists(#{attribute})"),
            });
        }
        let values = (!values.is_empty()).then_some(values);
        Self { expression: clauses.join(" AND "), names: Some(names), values }
    }
}

/// Fails with the first name that somebody else has changed since it was first read.
fn untouched(layer: &str, first: &Before, now: &Before) -> Result<(), StoreError> {
    for (name, was) in first {
        let is = now.get(name).and_then(Option::as_ref);
        if content(was.as_ref()) != content(is) {
            return Err(StoreError::Overwritten {
                key: format!("{layer}/{name}"),
                read: written_by(was.as_ref()),
                written: written_by(is),
            });
        }
    }
    Ok(())
}

fn written_by(item: Option<&Item>) -> Written {
    let Some(item) = item else { return Written::Absent };
    match (string(item, "By"), string(item, "At")) {
        (Some(by), Some(at)) => Written::By { by, at },
        _ => Written::Unsigned,
    }
}

/// The config of an item, without its key and without who wrote it.
pub(super) fn content(item: Option<&Item>) -> Option<BTreeMap<&str, &AttributeValue>> {
    item.map(|item| CONTENT.iter().filter_map(|name| item.get(*name).map(|value| (*name, value))).collect())
}

fn written(put: PutBuilder) -> TransactWriteItem {
    TransactWriteItem::builder().put(put.build().expect("table and item are given")).build()
}

type TransactError = aws_sdk_dynamodb::error::SdkError<
    aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError,
>;

fn condition_failed(error: &TransactError) -> bool {
    use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError as E;
    let Some(E::TransactionCanceledException(cancelled)) = error.as_service_error() else { return false };
    cancelled.cancellation_reasons().iter().any(|reason| reason.code() == Some("ConditionalCheckFailed"))
}
