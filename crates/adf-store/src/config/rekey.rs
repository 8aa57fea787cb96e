//! Secrets encrypted anew: with another KMS key, or with a new data key of the same one.
//!
//! All secrets of a layer share one data key afterwards, however many changes had set them, so that a boot needs one KMS
//! call for them.

use std::collections::BTreeMap;

use adf_types::{AppName, ConfigName, ReleaseName};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use super::change::{Before, Change, content};
use super::entry::{Entry, name};
use super::history::Action;
use crate::Store;
use crate::config::Seen;
use crate::error::StoreError;
use crate::keys::{Item, layer};
use crate::query::Range;
use crate::secret::Sealed;

impl Store {
    /// The releases of an app that may have an Overlay.
    pub async fn releases_with_overlay(&self, app: &AppName) -> Result<Vec<ReleaseName>, StoreError> {
        let usage = self.usage(app).await?;
        Ok(self.overlays(app, &usage).await?.into_iter().collect())
    }

    /// Encrypts every secret of Base, or of the Overlay of `release`, with one new data key of the KMS key `key`, and
    /// returns their names. What clean-up has taken out of the live set is among them: it can be restored. What was
    /// set meanwhile is not written over.
    pub async fn rekey(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        key: &str,
    ) -> Result<Vec<ConfigName>, StoreError> {
        let layer = layer(app, release);
        let mut read = Before::new();
        for item in self.query_config(&layer, Range::All).await? {
            if item.contains_key("Secret") {
                read.insert(name(&layer, &item)?, Some(item));
            }
        }
        let opened = self.open(app, release, &seen(&read, release.is_some())).await?;
        let sealed: BTreeMap<_, _> = self.seal(&layer, key, &opened).await?.into_iter().collect();
        let edit = |name: &ConfigName, was: Option<&Item>| Some(sealed_anew(was?, sealed.get(name)?));
        let change = Change::new(app, release, Action::Rekey, Vec::new(), &edit);
        self.change_in_parts(change, &read).await?;
        Ok(read.into_keys().collect())
    }
}

fn seen(read: &Before, overlay: bool) -> Vec<Seen> {
    let secret = |(name, item): (&ConfigName, &Option<Item>)| {
        let sealed = item.as_ref()?.get("Secret")?.as_b().ok()?;
        Some(Seen { name: name.clone(), entry: Entry::Secret(Sealed::new(sealed.as_ref())), overlay })
    };
    read.iter().filter_map(secret).collect()
}

/// The item as it was, with another ciphertext.
fn sealed_anew(was: &Item, sealed: &Sealed) -> Item {
    let kept = content(Some(was)).into_iter().flatten();
    let mut item: Item = kept.map(|(attribute, value)| (attribute.to_owned(), value.clone())).collect();
    item.insert("Secret".to_owned(), AttributeValue::B(Blob::new(sealed.as_bytes())));
    item
}
