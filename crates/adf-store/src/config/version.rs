//! The version of an app's config: one item that every change counts up, in the change's own transaction.
//!
//! A Query is no snapshot: it may see half of a transaction. Two equal versions around a read prove that no
//! change of several names was committed in between (fault 34). Clients of 2013 do not count; they write one
//! item at a time, which a read sees whole anyway.

use adf_types::AppName;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};

use crate::error::{Operation, StoreError};
use crate::keys::{Item, config_key, number};
use crate::query::unsigned;
use crate::{Partition, Store};

const ATTRIBUTE: &str = "Version";

/// How often an app's config has been changed. Two equal ones around a read prove that it is of one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, serde::Serialize)]
#[serde(transparent)]
pub struct ConfigVersion(pub(super) u64);

impl std::fmt::Display for ConfigVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for ConfigVersion {
    type Err = std::num::ParseIntError;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse().map(Self)
    }
}

/// The partition is no layer: `#` is in no app's name.
pub(crate) fn key(app: &AppName) -> Item {
    config_key(&Partition::Version.key(app), "config")
}

/// What the item says; 0 before the first counted change.
pub(crate) fn of(item: Option<&Item>) -> ConfigVersion {
    ConfigVersion(item.and_then(|item| unsigned(item, ATTRIBUTE)).unwrap_or_default())
}

impl Store {
    /// The version of `app`'s config; 0 before the first counted change.
    pub async fn config_version(&self, app: &AppName) -> Result<ConfigVersion, StoreError> {
        let operation =
            || Operation { verb: "read", table: self.tables.config.clone(), key: app.to_string() };
        let answer = self
            .client
            .get_item()
            .table_name(&self.tables.config)
            .set_key(Some(key(app)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk(operation(), e));
        match answer {
            Ok(answer) => Ok(of(answer.item.as_ref())),
            // Nobody counts changes in such a table, because nobody who counts writes to it.
            Err(StoreError::OtherKeys { .. }) => Ok(ConfigVersion::default()),
            Err(error) => Err(error),
        }
    }

    /// The part of a change's transaction that counts it, if no other change came after `version`.
    pub(super) fn count_change(
        &self,
        app: &AppName,
        ConfigVersion(version): ConfigVersion,
    ) -> TransactWriteItem {
        let expected = if version == 0 { "attribute_not_exists(#v)" } else { "#v = :was" };
        let was = (version > 0).then(|| (":was".to_owned(), number(version)));
        let update = Update::builder()
            .table_name(&self.tables.config)
            .set_key(Some(key(app)))
            .update_expression("SET #v = :is")
            .condition_expression(expected)
            .expression_attribute_names("#v", ATTRIBUTE)
            .expression_attribute_values(":is", number(version + 1));
        let update = was.into_iter().fold(update, |update, (k, v)| update.expression_attribute_values(k, v));
        TransactWriteItem::builder()
            .update(update.build().expect("table, key and expression are given"))
            .build()
    }
}
