//! Changes of one layer, all or none.

use std::collections::{BTreeMap, HashMap};

use adf_types::{AppName, ConfigName, ConfigValue, ReleaseName};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};

use super::entry::Entry;
use crate::Store;
use crate::error::{Operation, StoreError};
use crate::keys::{Item, config_key, layer, text};

/// DynamoDB's limit for one transaction is 100; one of them counts the change.
pub(super) const MOST_IN_ONE_CHANGE: usize = 99;

impl Store {
    /// Sets names of one layer, all or none.
    pub async fn set_config(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        values: &[(ConfigName, String)],
    ) -> Result<(), StoreError> {
        let layer = layer(app, release);
        let mut puts = Vec::new();
        for (name, value) in values {
            without_nul(&layer, name, value)?;
            puts.push(self.put_config(&layer, name, [("Value".to_owned(), text(value))].into()));
        }
        self.change(app, &layer, "change config of", puts).await
    }

    /// Sets secrets of one layer, all or none: encrypted with one new data key of the KMS key `key` (its id,
    /// ARN or alias), in one KMS call.
    pub async fn set_secrets(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        key: &str,
        values: &[(ConfigName, ConfigValue)],
    ) -> Result<(), StoreError> {
        let layer = layer(app, release);
        for (name, value) in values {
            without_nul(&layer, name, value.expose())?;
        }
        check_count(values.len())?;
        let sealed = self.seal(&layer, key, values).await?;
        let puts = sealed.into_iter().map(|(name, sealed)| {
            let secret = AttributeValue::B(Blob::new(sealed.into_bytes()));
            self.put_config(&layer, name, [("Secret".to_owned(), secret)].into())
        });
        self.change(app, &layer, "change config of", puts.collect()).await
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
        self.change(app, &layer, "change config of", writes.collect()).await
    }

    /// One transaction: the writes, and the count of the change.
    pub(super) async fn change(
        &self,
        app: &AppName,
        layer: &str,
        verb: &'static str,
        mut writes: Vec<TransactWriteItem>,
    ) -> Result<(), StoreError> {
        if writes.is_empty() {
            return Ok(());
        }
        check_count(writes.len())?;
        writes.push(self.count_change(app));
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
}

fn check_count(count: usize) -> Result<(), StoreError> {
    if count > MOST_IN_ONE_CHANGE {
        return Err(StoreError::TooMany { count, max: MOST_IN_ONE_CHANGE });
    }
    Ok(())
}

/// What no environment can hold is refused before it is written, not when an instance boots.
fn without_nul(layer: &str, name: &ConfigName, value: &str) -> Result<(), StoreError> {
    if value.contains('\0') {
        return Err(StoreError::Config {
            key: format!("{layer}/{name}"),
            problem: "the value holds a NUL byte, which no environment variable can".to_owned(),
        });
    }
    Ok(())
}
