//! The version of an app's config: one item that every change counts up, in the change's own transaction.
//!
//! A Query is no snapshot: it may see half of a transaction. Two equal versions around a read prove that no
//! change of several names was committed in between (fault 34). Clients of 2013 do not count; they write one
//! item at a time, which a read sees whole anyway.

use std::collections::HashMap;

use adf_types::AppName;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};

use crate::Store;
use crate::error::{Operation, StoreError};
use crate::keys::{config_key, number};
use crate::query::unsigned;

const ATTRIBUTE: &str = "Version";

/// The partition is no layer: `#` is in no app's name.
fn key(app: &AppName) -> crate::keys::Item {
    config_key(&format!("{app}#version"), "config")
}

impl Store {
    /// The version of `app`'s config; 0 before the first counted change.
    pub(super) async fn config_version(&self, app: &AppName) -> Result<u64, StoreError> {
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
            .map_err(|e| StoreError::from_sdk(operation(), e))?;
        Ok(answer.item.and_then(|item| unsigned(&item, ATTRIBUTE)).unwrap_or_default())
    }

    /// The part of a change's transaction that counts it.
    pub(super) fn count_change(&self, app: &AppName) -> TransactWriteItem {
        let update = Update::builder()
            .table_name(&self.tables.config)
            .set_key(Some(key(app)))
            .update_expression("ADD #v :one")
            .expression_attribute_names("#v", ATTRIBUTE)
            .set_expression_attribute_values(Some(HashMap::from([(":one".to_owned(), number(1))])));
        TransactWriteItem::builder()
            .update(update.build().expect("table, key and expression are given"))
            .build()
    }
}
