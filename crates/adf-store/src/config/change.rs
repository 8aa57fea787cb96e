//! One change of one layer: all of it or nothing, recorded, and never over what somebody else has just written.
//!
//! A change is one transaction: each name's new item, on the condition that the item is still the one that was read;
//! what the names were before, for the history; and the version, counted up from the one that was read. So two changes
//! of one app are never committed side by side, and the history misses none.

use std::collections::BTreeMap;

use adf_types::{AppName, ConfigName, ReleaseName};
use aws_sdk_dynamodb::types::builders::PutBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use jiff::Timestamp;

use super::basis::{Basis, untouched};
use super::condition::Condition;
use super::history::{self, Action, Past};
use super::size;
use super::version::{self, ConfigVersion};
use crate::Store;
use crate::error::{Operation, StoreError};
use crate::keys::{Item, config_key, layer, number, text};

/// DynamoDB's limit for one transaction.
const MOST_WRITES: usize = 100;

/// Names that change together: the transaction also counts the change and has room for two items of history.
pub(super) const MOST_IN_ONE_CHANGE: usize = MOST_WRITES - 3;

/// How often a change is tried again because another one of the app came in between.
const TRIES: usize = 8;

/// What of an item is config. The rest is who wrote it, and when.
pub(super) const CONTENT: [&str; 6] = ["Value", "Secret", "Unset", "Cleaned", "RestorableUntil", "Purged"];

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
    /// On what the author decided it.
    pub(super) basis: Basis<'a>,
    /// Must hold as well when it is written.
    pub(super) guard: Option<TransactWriteItem>,
}

impl<'a> Change<'a> {
    /// A change on the basis of what the names are now.
    pub(super) fn new(
        app: &'a AppName,
        release: Option<&'a ReleaseName>,
        action: Action,
        names: Vec<ConfigName>,
        edit: &'a (dyn Fn(&ConfigName, Option<&Item>) -> Content + Sync),
    ) -> Self {
        Self { app, release, action, names, edit, basis: Basis::Now, guard: None }
    }
}

/// The names of a change as they were when it was read.
pub(super) type Before = BTreeMap<ConfigName, Option<Item>>;

enum Sent {
    Done,
    /// Another change came first, of these names or of others.
    Overtaken,
    /// The guard no longer holds.
    Guarded,
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
        let mut first = match change.basis {
            Basis::Read(read) => Some(read.clone()),
            Basis::Now | Basis::Version(_) => None,
        };
        for _ in 0..TRIES {
            // Boxed, both: the SDK's calls are large, and this is awaited deep inside a deploy.
            let (version, before) = Box::pin(self.now(change.app, &layer, &change.names)).await?;
            if let Some(first) = &first {
                untouched(&layer, first, &before)?;
            }
            if let Basis::Version(seen) = change.basis {
                if seen > version {
                    let app = change.app.clone();
                    return Err(StoreError::UnknownVersion { app, seen: seen.0, last: version.0 });
                }
                self.not_since((change.app, change.release), seen, &before).await?;
            }
            let writes = self.writes(&change, &layer, version, &before)?;
            match Box::pin(self.send(&change, &layer, writes)).await? {
                Sent::Done => return Ok(()),
                Sent::Guarded => return Err(StoreError::DeployBegan { app: change.app.clone() }),
                Sent::Overtaken => {
                    first.get_or_insert(before);
                }
            }
        }
        Err(StoreError::Changing { app: change.app.clone(), reads: TRIES })
    }

    /// Makes a change of what was read, in as many transactions as it takes. What was written since is not written over.
    pub(super) async fn change_in_parts(&self, change: Change<'_>, read: &Before) -> Result<(), StoreError> {
        let Change { app, release, action, edit, .. } = change;
        for part in size::parts(read, edit) {
            let names = part.keys().cloned().collect();
            let guard = change.guard.clone();
            let basis = Basis::Read(&part);
            self.change(Change { basis, guard, ..Change::new(app, release, action, names, edit) }).await?;
        }
        Ok(())
    }

    /// The version and the names, of one moment.
    async fn now(
        &self,
        app: &AppName,
        layer: &str,
        names: &[ConfigName],
    ) -> Result<(ConfigVersion, Before), StoreError> {
        let table = self.tables.config.as_str();
        let of_names = names.iter().map(|name| (table, config_key(layer, name.as_str())));
        let keys = std::iter::once((table, version::key(app))).chain(of_names).collect();
        let operation = || Operation { verb: "read", table: table.to_owned(), key: layer.to_owned() };
        let mut items = self.get_together(keys, operation).await?.into_iter();
        let version = items.next().flatten();
        Ok((version::of(version.as_ref()), names.iter().cloned().zip(items).collect()))
    }

    fn writes(
        &self,
        change: &Change<'_>,
        layer: &str,
        ConfigVersion(version): ConfigVersion,
        before: &Before,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let now = Timestamp::now();
        let mut writes: Vec<_> = change.guard.clone().into_iter().collect();
        for (name, was) in before {
            let is = (change.edit)(name, was.as_ref());
            if change.action == Action::Set
                && !self.signature.forced
                && loses_its_seal(was.as_ref(), is.as_ref())
            {
                return Err(StoreError::WasSecret { key: format!("{layer}/{name}") });
            }
            size::check_item(layer, name, is.as_ref())?;
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
        let guards = usize::from(change.guard.is_some());
        let room = MOST_WRITES - 1 - history.len() - guards;
        if before.len() > room {
            return Err(StoreError::TooMany { count: before.len(), max: room });
        }
        size::check_change(&writes, &history)?;
        writes.extend(history.into_iter().map(|item| written(self.put_config(item))));
        writes.push(self.count_change(change.app, ConfigVersion(version)));
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
            // The guard is the first of the writes, and the reasons come in their order.
            Err(error) if change.guard.is_some() && failed_conditions(&error).first() == Some(&true) => {
                Ok(Sent::Guarded)
            }
            Err(error) if failed_conditions(&error).contains(&true) => Ok(Sent::Overtaken),
            Err(error) => {
                let verb = change.action.verb();
                let operation = Operation { verb, table: self.tables.config.clone(), key: layer.to_owned() };
                Err(StoreError::from_sdk(operation, error))
            }
        }
    }
}

/// Whether a secret would be replaced by a value in clear.
fn loses_its_seal(was: Option<&Item>, is: Option<&Item>) -> bool {
    was.is_some_and(|item| item.contains_key("Secret")) && is.is_some_and(|item| item.contains_key("Value"))
}

pub(super) fn check_count(count: usize) -> Result<(), StoreError> {
    if count > MOST_IN_ONE_CHANGE {
        return Err(StoreError::TooMany { count, max: MOST_IN_ONE_CHANGE });
    }
    Ok(())
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

/// For each write of a transaction, whether its condition is why it was cancelled.
fn failed_conditions(error: &TransactError) -> Vec<bool> {
    use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError as E;
    let Some(E::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return Vec::new();
    };
    let failed = |code: Option<&str>| code == Some("ConditionalCheckFailed");
    cancelled.cancellation_reasons().iter().map(|reason| failed(reason.code())).collect()
}
