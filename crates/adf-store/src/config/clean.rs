//! Clean-up of a release's Overlay, and the way back.

use adf_types::{AppName, ConfigName, ReleaseName};
use aws_sdk_dynamodb::types::builders::UpdateBuilder;
use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use jiff::{SignedDuration, Timestamp};

use super::entry::name;
use super::write::MOST_IN_ONE_CHANGE;
use crate::Store;
use crate::error::StoreError;
use crate::keys::{config_key, layer, number, text};

/// How long cleaned-up config can be restored. A month covers a release that is found bad late.
const RESTORABLE: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Store {
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
            self.change(app, &layer, "clean up config of", marks.collect()).await?;
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
            self.change(app, &layer, "restore config of", marks.collect()).await?;
        }
        Ok(names)
    }

    /// An update of an item that must exist: clean-up marks, it never creates.
    fn update_config(
        &self,
        layer: &str,
        name: &ConfigName,
        expression: &str,
        values: impl FnOnce(UpdateBuilder) -> UpdateBuilder,
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
