//! Config: Base and Overlay, read whole, changed together.
//!
//! The table is the one of 2013: hash `App`, range `Name`, attribute `Value`. More attributes of an item:
//! `Unset` (in an Overlay: hides the Base name), `Cleaned` and `PurgeAfter` (taken out of the live set by
//! clean-up; restorable until purged), `Secret` (KMS ciphertext, which this version refuses to read).

use std::collections::{BTreeMap, HashMap};

use adf_types::{AppName, Config, ConfigName, ReleaseName};
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use jiff::{SignedDuration, Timestamp};

use crate::Store;
use crate::error::{Operation, StoreError};
use crate::keys::{Item, config_key, layer, number, text};
use crate::query::{flag, string};

/// What a layer says of a name.
#[derive(Clone, PartialEq, Eq)]
pub enum Entry {
    Value(String),
    /// An Overlay's tombstone: the release does not see the Base value.
    Unset,
}

impl std::fmt::Debug for Entry {
    /// Without the value: it may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Value(_) => "Value",
            Self::Unset => "Unset",
        })
    }
}

/// DynamoDB's limit for one transaction.
const MOST_IN_ONE_CHANGE: usize = 100;

/// How long cleaned-up config can be restored. A month covers a release that is found bad late.
const RESTORABLE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How often a read is repeated because a change came in between, before it is given up.
const READS: usize = 5;

impl Store {
    /// What `release` sees: Base, then its Overlay; complete, or an error. Both layers are read until two
    /// reads in a row agree, so a change that falls in between is seen whole or not at all.
    pub async fn read_config(&self, app: &AppName, release: &ReleaseName) -> Result<Config, StoreError> {
        let mut last = self.read_layers(app, release).await?;
        for _ in 1..READS {
            let next = self.read_layers(app, release).await?;
            if next == last {
                return Ok(next);
            }
            last = next;
        }
        Err(StoreError::Config {
            key: format!("of {app}"),
            problem: format!("E154 changed during each of {READS} reads; try again when nobody edits it"),
        })
    }

    /// One layer as it is, sorted by name: Base for `None`, else the release's Overlay.
    pub async fn read_layer(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
    ) -> Result<Vec<(ConfigName, Entry)>, StoreError> {
        let layer = layer(app, release);
        let items = self.query_config(&layer).await?;
        let live = items.iter().filter(|item| !item.contains_key("Cleaned"));
        live.map(|item| entry(&layer, item)).collect()
    }

    /// Sets names of one layer, all or none.
    pub async fn set_config(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        values: &[(ConfigName, String)],
    ) -> Result<(), StoreError> {
        let layer = layer(app, release);
        let puts = values
            .iter()
            .map(|(name, value)| self.put_config(&layer, name, [("Value".to_owned(), text(value))].into()));
        self.change(&layer, "change config of", puts.collect()).await
    }

    /// Unsets names of one layer, all or none. In an Overlay a name that Base has is hidden by a tombstone.
    pub async fn unset_config(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        names: &[ConfigName],
    ) -> Result<(), StoreError> {
        let layer = layer(app, release);
        let base: BTreeMap<ConfigName, Entry> = match release {
            Some(_) => self.read_layer(app, None).await?.into_iter().collect(),
            None => BTreeMap::new(),
        };
        let writes = names.iter().map(|name| {
            if base.contains_key(name) {
                let hidden = HashMap::from([("Unset".to_owned(), AttributeValue::Bool(true))]);
                self.put_config(&layer, name, hidden)
            } else {
                self.delete_config(&layer, name)
            }
        });
        self.change(&layer, "change config of", writes.collect()).await
    }

    /// Takes a release's whole Overlay out of the live set and returns its names. Nothing is lost:
    /// [`Store::restore_overlay`] brings it back until DynamoDB purges it, 30 days later.
    pub async fn clean_overlay(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Vec<ConfigName>, StoreError> {
        let layer = layer(app, Some(release));
        let names: Vec<_> =
            self.read_layer(app, Some(release)).await?.into_iter().map(|(name, _)| name).collect();
        let now = Timestamp::now();
        let purge = u64::try_from((now + RESTORABLE).as_second()).unwrap_or(u64::MAX);
        for chunk in names.chunks(MOST_IN_ONE_CHANGE) {
            let marks = chunk.iter().map(|name| {
                self.update_config(&layer, name, "SET Cleaned = :now, PurgeAfter = :purge", |update| {
                    update
                        .expression_attribute_values(":now", text(now.to_string()))
                        .expression_attribute_values(":purge", number(purge))
                })
            });
            self.change(&layer, "clean up config of", marks.collect()).await?;
        }
        Ok(names)
    }

    /// Brings back what clean-up took away, and returns the names. An Overlay that is whole is left alone.
    pub async fn restore_overlay(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Vec<ConfigName>, StoreError> {
        let layer = layer(app, Some(release));
        let items = self.query_config(&layer).await?;
        let cleaned = items.iter().filter(|item| item.contains_key("Cleaned"));
        let names = cleaned.map(|item| name(&layer, item)).collect::<Result<Vec<_>, _>>()?;
        for chunk in names.chunks(MOST_IN_ONE_CHANGE) {
            let marks = chunk
                .iter()
                .map(|name| self.update_config(&layer, name, "REMOVE Cleaned, PurgeAfter", |u| u));
            self.change(&layer, "restore config of", marks.collect()).await?;
        }
        Ok(names)
    }

    async fn read_layers(&self, app: &AppName, release: &ReleaseName) -> Result<Config, StoreError> {
        let mut seen: BTreeMap<ConfigName, Entry> = self.read_layer(app, None).await?.into_iter().collect();
        seen.extend(self.read_layer(app, Some(release)).await?);
        Ok(seen
            .into_iter()
            .filter_map(|(name, entry)| match entry {
                Entry::Value(value) => Some((name, value)),
                Entry::Unset => None,
            })
            .collect())
    }

    async fn change(
        &self,
        layer: &str,
        verb: &'static str,
        writes: Vec<TransactWriteItem>,
    ) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        if writes.len() > MOST_IN_ONE_CHANGE {
            return Err(StoreError::TooMany { count: writes.len(), max: MOST_IN_ONE_CHANGE });
        }
        let operation = Operation { verb, table: self.tables.config.clone(), key: layer.to_owned() };
        self.transact(operation, writes).await
    }

    fn put_config(&self, layer: &str, name: &ConfigName, attributes: Item) -> TransactWriteItem {
        let item = config_key(layer, name.as_str()).into_iter().chain(attributes).collect();
        let put = Put::builder().table_name(&self.tables.config).set_item(Some(item)).build();
        TransactWriteItem::builder().put(put.expect("table and item are given")).build()
    }

    fn delete_config(&self, layer: &str, name: &ConfigName) -> TransactWriteItem {
        let key = config_key(layer, name.as_str());
        let delete = Delete::builder().table_name(&self.tables.config).set_key(Some(key)).build();
        TransactWriteItem::builder().delete(delete.expect("table and key are given")).build()
    }

    /// An update of an item that must exist: clean-up marks, it never creates.
    fn update_config(
        &self,
        layer: &str,
        name: &ConfigName,
        expression: &str,
        values: impl FnOnce(
            aws_sdk_dynamodb::types::builders::UpdateBuilder,
        ) -> aws_sdk_dynamodb::types::builders::UpdateBuilder,
    ) -> TransactWriteItem {
        let update = Update::builder()
            .table_name(&self.tables.config)
            .set_key(Some(config_key(layer, name.as_str())))
            .update_expression(expression)
            .condition_expression("attribute_exists(App)");
        TransactWriteItem::builder()
            .update(values(update).build().expect("table, key and expression are given"))
            .build()
    }
}

fn name(layer: &str, item: &Item) -> Result<ConfigName, StoreError> {
    let raw = string(item, "Name").unwrap_or_default();
    raw.parse().map_err(|e: adf_types::ConfigNameError| StoreError::Config {
        key: format!("{layer}/{}", raw.escape_debug()),
        problem: e.to_string(),
    })
}

fn entry(layer: &str, item: &Item) -> Result<(ConfigName, Entry), StoreError> {
    let name = name(layer, item)?;
    let problem =
        |problem: &str| StoreError::Config { key: format!("{layer}/{name}"), problem: problem.to_owned() };
    if flag(item, "Unset") {
        return Ok((name, Entry::Unset));
    }
    match item.get("Value") {
        Some(AttributeValue::S(value)) if value.contains('\0') => {
            Err(problem("the value holds a NUL byte, which no environment variable can"))
        }
        Some(AttributeValue::S(value) | AttributeValue::N(value)) => Ok((name, Entry::Value(value.clone()))),
        Some(_) => Err(problem("the attribute Value is neither a string nor a number")),
        None if item.contains_key("Secret") => Err(problem("is a secret, which this version cannot read")),
        None => Err(problem("the item has no attribute Value")),
    }
}
