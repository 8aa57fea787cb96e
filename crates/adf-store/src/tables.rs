//! The tables themselves: their names, and their creation.

use aws_sdk_dynamodb::client::Waiters;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TimeToLiveSpecification,
};

use crate::Store;
use crate::error::{Operation, StoreError};

/// The names of both tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tables {
    pub config: String,
    pub state: String,
}

impl Default for Tables {
    fn default() -> Self {
        Self { config: "adf-config".to_owned(), state: "adf-state".to_owned() }
    }
}

/// A new table on demand is active within seconds; AWS says to allow for minutes.
const TABLE_ACTIVE: std::time::Duration = std::time::Duration::from_mins(2);

impl Store {
    /// Creates the tables that do not exist and returns their names. Existing ones are left as they are; one with other keys
    /// than ADF's is an error.
    pub async fn create_tables(&self) -> Result<Vec<String>, StoreError> {
        let mut created = Vec::new();
        for (table, hash, range) in [(&self.tables.config, "App", "Name"), (&self.tables.state, "Pk", "Sk")] {
            match self.keys_of(table).await? {
                None => {
                    self.create_table(table, hash, range).await?;
                    created.push(table.clone());
                }
                Some(keys) if keys == [hash, range] => {}
                Some(keys) => {
                    let source = format!("its keys are {}", keys.join(" and ")).into();
                    return Err(StoreError::OtherKeys { operation: about("use", table), source });
                }
            }
        }
        if created.contains(&self.tables.config) {
            self.enable_purge().await?;
        }
        Ok(created)
    }

    /// The names of hash and range key, if there is such a table.
    async fn keys_of(&self, table: &str) -> Result<Option<Vec<String>>, StoreError> {
        let described = self.client.describe_table().table_name(table).send().await;
        match described.map_err(|e| StoreError::from_sdk(about("describe", table), e)) {
            Ok(described) => {
                let schema = described.table.and_then(|table| table.key_schema).unwrap_or_default();
                Ok(Some(schema.into_iter().map(|element| element.attribute_name).collect()))
            }
            Err(StoreError::TableMissing { .. }) => Ok(None),
            Err(other) => Err(other),
        }
    }

    async fn create_table(&self, table: &str, hash: &str, range: &str) -> Result<(), StoreError> {
        let attribute = |name: &str| {
            AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build()
                .expect("name and type are given")
        };
        let key = |name: &str, kind| {
            KeySchemaElement::builder()
                .attribute_name(name)
                .key_type(kind)
                .build()
                .expect("name and kind are given")
        };
        self.client
            .create_table()
            .table_name(table)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some(vec![attribute(hash), attribute(range)]))
            .set_key_schema(Some(vec![key(hash, KeyType::Hash), key(range, KeyType::Range)]))
            .send()
            .await
            .map_err(|e| StoreError::from_sdk(about("create", table), e))?;
        self.client
            .wait_until_table_exists()
            .table_name(table)
            .wait(TABLE_ACTIVE)
            .await
            .map_err(|e| StoreError::Refused { operation: about("wait for", table), source: Box::new(e) })?;
        Ok(())
    }

    /// Lets DynamoDB purge cleaned-up config when its time has come, see [`Store::clean_overlay`].
    async fn enable_purge(&self) -> Result<(), StoreError> {
        let table = &self.tables.config;
        let purge = TimeToLiveSpecification::builder()
            .enabled(true)
            .attribute_name("PurgeAfter")
            .build()
            .expect("name and switch are given");
        self.client
            .update_time_to_live()
            .table_name(table)
            .time_to_live_specification(purge)
            .send()
            .await
            .map_err(|e| StoreError::from_sdk(about("enable time-to-live of", table), e))?;
        Ok(())
    }
}

fn about(verb: &'static str, table: &str) -> Operation {
    Operation { verb, table: table.to_owned(), key: "the table".to_owned() }
}
