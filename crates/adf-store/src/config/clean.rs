//! Clean-up of a release's Overlay, and the way back.

use adf_types::{AppName, ConfigName, ReleaseName};
use jiff::{SignedDuration, Timestamp};

use super::change::{Change, MOST_IN_ONE_CHANGE, content};
use super::entry::name;
use super::history::Action;
use crate::Store;
use crate::error::StoreError;
use crate::keys::{Item, layer, number, text};
use crate::query::Range;

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
        let layer = self.read_layer(app, Some(release)).await?;
        let names: Vec<_> = layer.into_iter().map(|(name, _)| name).collect();
        let now = Timestamp::now();
        let purge = u64::try_from((now + RESTORABLE).as_second()).unwrap_or(u64::MAX);
        let marks = [("Cleaned", text(now.to_string())), ("PurgeAfter", number(purge))];
        let mark = |item: &Item| {
            let marks = marks.clone().map(|(attribute, value)| (attribute.to_owned(), value));
            owned(item).into_iter().chain(marks).collect()
        };
        let edit = |_: &ConfigName, was: Option<&Item>| was.map(mark);
        for names in names.chunks(MOST_IN_ONE_CHANGE) {
            let (release, names) = (Some(release), names.to_vec());
            self.change(Change { app, release, action: Action::Clean, names, edit: &edit }).await?;
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
        let items = self.query_config(&layer, Range::All).await?;
        let cleaned = items.iter().filter(|item| item.contains_key("Cleaned"));
        let names = cleaned.map(|item| name(&layer, item)).collect::<Result<Vec<_>, _>>()?;
        let unmark = |item: &Item| {
            let mut item = owned(item);
            item.retain(|attribute, _| attribute != "Cleaned" && attribute != "PurgeAfter");
            item
        };
        let edit = |_: &ConfigName, was: Option<&Item>| was.map(unmark);
        for names in names.chunks(MOST_IN_ONE_CHANGE) {
            let (release, names) = (Some(release), names.to_vec());
            self.change(Change { app, release, action: Action::Restore, names, edit: &edit }).await?;
        }
        Ok(names)
    }
}

fn owned(item: &Item) -> Item {
    let content = content(Some(item)).into_iter().flatten();
    content.map(|(attribute, value)| (attribute.to_owned(), value.clone())).collect()
}
