//! The end of what is past its time: values that were cleaned up, and records of the history. DynamoDB's time-to-live
//! deletes the latter as well, within days, where it is switched on; a table of 2013 does not have it.

use adf_types::{AppName, ConfigName};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;

use super::clean::OverlayPlan;
use super::history;
use super::names::time;
use crate::error::{Operation, StoreError};
use crate::keys::{Item, config_key, layer, number, text};
use crate::query::{Range, string};
use crate::{Cleaned, Store};

/// How many records of an app's history are kept, however young. At ten changes a day that is nearly three years.
const MOST_RECORDS: usize = 10_000;

/// Deletions under way at once.
const AT_ONCE: usize = 8;

impl Store {
    /// Deletes the values of names that were taken out of the live set long enough ago, and returns the names. A mark stays:
    /// the release was made for a config that had them.
    pub(super) async fn purge_overlay(
        &self,
        app: &AppName,
        overlay: &OverlayPlan,
        now: Timestamp,
    ) -> Result<Vec<ConfigName>, StoreError> {
        let layer = layer(app, Some(&overlay.release));
        let expired = |cleaned: &&Cleaned| !cleaned.purged && cleaned.restorable_until < now;
        let mut purged = Vec::new();
        for cleaned in overlay.cleaned.iter().filter(expired) {
            if self.empty(&layer, cleaned, now).await? {
                purged.push(cleaned.name.clone());
            }
        }
        Ok(purged)
    }

    /// Leaves nothing but the mark, if the item still is out of the live set and past its time; tells whether it was.
    async fn empty(&self, layer: &str, cleaned: &Cleaned, now: Timestamp) -> Result<bool, StoreError> {
        let table = &self.tables.config;
        let mark = [("Cleaned", text(&cleaned.at)), ("Purged", AttributeValue::Bool(true))];
        let mark = mark.map(|(attribute, value)| (attribute.to_owned(), value));
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let sent = self
            .client
            .put_item()
            .table_name(table)
            .set_item(Some(config_key(layer, cleaned.name.as_str()).into_iter().chain(mark).collect()))
            .condition_expression("attribute_exists(Cleaned) AND RestorableUntil < :now")
            .expression_attribute_values(":now", number(seconds))
            .send()
            .await;
        let Err(error) = sent else { return Ok(true) };
        if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) {
            return Ok(false);
        }
        let key = format!("{layer}/{}", cleaned.name);
        Err(StoreError::from_sdk(Operation { verb: "purge", table: table.clone(), key }, error))
    }

    /// Deletes records of the history that are past their time or too many, and returns how many items they were.
    pub async fn purge_history(&self, app: &AppName) -> Result<usize, StoreError> {
        let now = Timestamp::now();
        let partition = history::partition(app);
        let all = Range::Newest(usize::MAX);
        let items = self.query_config_for(&partition, all, &["App", "Name", "PurgeAfter"]).await?;
        let goes = |(i, item): &(usize, Item)| *i >= MOST_RECORDS || time(item, "PurgeAfter") < now;
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
}
