//! A table of 2013 whose range key is `Value`, as the first documentation said. It is read, never written.

use adf_types::{AppName, ConfigName};

use crate::Store;
use crate::error::{Operation, StoreError};
use crate::keys::{Item, text};
use crate::query::string;

/// The config of one app in such a table, in the order of the values.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ValueKeyed {
    /// A name may come several times.
    pub values: Vec<(ConfigName, String)>,
    /// Items that are no config, and what is wrong with them; values are not repeated.
    pub unusable: Vec<String>,
}

/// A range key is a text or a number; each is a value as config has it.
fn number(item: &Item) -> Option<String> {
    item.get("Value")?.as_n().ok().cloned()
}

impl Store {
    /// Reads an app's config in the table `table`, all of it or an error.
    pub async fn read_value_keyed(&self, table: &str, app: &AppName) -> Result<ValueKeyed, StoreError> {
        let mut pages = self
            .client
            .query()
            .table_name(table)
            .consistent_read(true)
            .key_condition_expression("App = :app")
            .expression_attribute_values(":app", text(app.as_str()))
            .into_paginator()
            .items()
            .send();
        let mut read = ValueKeyed::default();
        while let Some(item) = pages.next().await {
            let operation = Operation { verb: "read", table: table.to_owned(), key: app.to_string() };
            let item = item.map_err(|error| StoreError::from_sdk(operation, error))?;
            let value = string(&item, "Value").or_else(|| number(&item));
            match (string(&item, "Name").map(|name| name.parse::<ConfigName>()), value) {
                (Some(Ok(name)), Some(value)) => read.values.push((name, value)),
                (Some(Err(error)), _) => read.unusable.push(error.to_string()),
                (Some(Ok(name)), None) => read.unusable.push(format!("{name} has no text as its Value")),
                (None, _) => read.unusable.push("an item has no text as its Name".to_owned()),
            }
        }
        Ok(read)
    }
}
