//! Deleting what is past its time. DynamoDB's time-to-live does the same within days, where it is switched on; a table of
//! 2013 does not have it.

use adf_types::{AppName, ConfigName};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

use super::clean::{OverlayPlan, Plan, purge_after};
use super::history;
use crate::Store;
use crate::error::{Operation, StoreError};
use crate::keys::{Item, config_key, layer, number};
use crate::query::{Range, string};

/// How many records of an app's history are kept, however young. At ten changes a day that is nearly three years.
const MOST_RECORDS: usize = 10_000;

/// Deletions under way at once.
const AT_ONCE: usize = 8;

impl Store {
    /// Deletes the names of an Overlay that were taken out of the live set long enough ago, and returns them.
    pub(super) async fn purge_overlay(
        &self,
        plan: &Plan,
        overlay: &OverlayPlan,
    ) -> Result<Vec<ConfigName>, StoreError> {
        let layer = layer(&plan.app, Some(&overlay.release));
        let mut purged = Vec::new();
        for cleaned in overlay.cleaned.iter().filter(|cleaned| cleaned.purge_after < plan.time()) {
            let key = config_key(&layer, cleaned.name.as_str());
            if self.delete_expired(key, plan.time()).await? {
                purged.push(cleaned.name.clone());
            }
        }
        Ok(purged)
    }

    /// Deletes records of the history that are past their time or too many, and returns how many items they were.
    pub async fn purge_history(&self, app: &AppName) -> Result<usize, StoreError> {
        let now = Timestamp::now();
        let partition = history::partition(app);
        let all = Range::Newest(usize::MAX);
        let items = self.query_config_for(&partition, all, &["App", "Name", "PurgeAfter"]).await?;
        let goes = |(i, item): &(usize, Item)| *i >= MOST_RECORDS || purge_after(item) < now;
        let names = items.into_iter().enumerate().filter(goes).filter_map(|(_, item)| string(&item, "Name"));
        let deletions: Vec<_> = names.map(|name| self.delete_record(&partition, name)).collect();
        let deleted: Vec<()> =
            futures_util::stream::iter(deletions).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(deleted.len())
    }

    async fn delete_record(&self, partition: &str, name: String) -> Result<(), StoreError> {
        let table = &self.tables.config;
        let key = config_key(partition, &name);
        let sent = self.client.delete_item().table_name(table).set_key(Some(key)).send().await;
        let operation =
            || Operation { verb: "delete", table: table.clone(), key: format!("{partition}/{name}") };
        sent.map(|_| ()).map_err(|error| StoreError::from_sdk(operation(), error))
    }

    /// Deletes an item if it still is out of the live set and past its time, and tells whether it was.
    async fn delete_expired(&self, key: Item, now: Timestamp) -> Result<bool, StoreError> {
        let table = &self.tables.config;
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let named = ["App", "Name"].map(|part| string(&key, part).unwrap_or_default()).join("/");
        let sent = self
            .client
            .delete_item()
            .table_name(table)
            .set_key(Some(key))
            .condition_expression("attribute_exists(Cleaned) AND PurgeAfter < :now")
            .expression_attribute_values(":now", number(seconds))
            .send()
            .await;
        let Err(error) = sent else { return Ok(true) };
        if error.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception) {
            return Ok(false);
        }
        Err(StoreError::from_sdk(Operation { verb: "delete", table: table.clone(), key: named }, error))
    }
}
