//! Which names a layer has, whatever their values are: also of items that cannot be read as config.

use std::collections::BTreeSet;

use adf_types::{AppName, ConfigName, ReleaseName};
use jiff::Timestamp;
use serde::Serialize;

use super::entry::name;
use crate::Store;
use crate::error::StoreError;
use crate::keys::{Item, layer};
use crate::query::{Range, flag, string, unsigned};

/// The names of one layer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LayerNames {
    /// With a value.
    pub live: BTreeSet<ConfigName>,
    /// Hidden from the release.
    pub hidden: BTreeSet<ConfigName>,
    /// Taken out of the live set by clean-up.
    pub cleaned: Vec<Cleaned>,
}

/// A name that was taken out of the live set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cleaned {
    pub name: ConfigName,
    /// When it was taken out.
    pub at: String,
    /// Until then it can be restored; after that the next clean-up deletes its value.
    pub restorable_until: Timestamp,
    /// Whether its value was deleted.
    pub purged: bool,
}

impl Store {
    /// The names of Base, or of the Overlay of `release`.
    pub async fn names(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
    ) -> Result<LayerNames, StoreError> {
        let layer = layer(app, release);
        let attributes = ["App", "Name", "Unset", "Cleaned", "RestorableUntil", "Purged"];
        let mut names = LayerNames::default();
        for item in self.query_config_for(&layer, Range::All, &attributes).await? {
            let name = name(&layer, &item)?;
            if let Some(at) = string(&item, "Cleaned") {
                let (restorable_until, purged) = (time(&item, "RestorableUntil"), flag(&item, "Purged"));
                names.cleaned.push(Cleaned { name, at, restorable_until, purged });
            } else if flag(&item, "Unset") {
                names.hidden.insert(name);
            } else {
                names.live.insert(name);
            }
        }
        Ok(names)
    }
}

/// Seconds since 1970, as DynamoDB counts for its time-to-live. What has none never runs out.
pub(super) fn time(item: &Item, attribute: &str) -> Timestamp {
    let seconds = unsigned(item, attribute).and_then(|seconds| i64::try_from(seconds).ok());
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::MAX)
}
