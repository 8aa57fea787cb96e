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
    /// Creates the tables that do not exist and returns their names. Existing ones are left as they are.
    pub async fn create_tables(&self) -> Result<Vec<String>, StoreError> {
        let mut created = Vec::new();
        for (table, hash, range) in [(&self.tables.config, "App", "Name"), (&self.tables.state, "Pk", "Sk")] {
            if !self.table_exists(table).await? {
                self.create_table(table, hash, range).await?;
                created.push(table.clone());
            }
        }
        if created.contains(&self.tables.config) {
            self.enable_purge().await?;
        }
        Ok(created)
    }

    async fn table_exists(&self, table: &str) -> Result<bool, StoreError> {
        let described = self.client.describe_table().table_name(table).send().await;
        match described.map_err(|e| StoreError::from_sdk(about("describe", table), e)) {
            Ok(_) => Ok(true),
            Err(StoreError::TableMissing { .. }) => Ok(false),
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
