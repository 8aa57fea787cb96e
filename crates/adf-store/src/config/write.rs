//! What operators change: names set, secrets set, names unset.

use std::collections::BTreeMap;

use adf_types::{AppName, ConfigName, ConfigValue, ReleaseName};

use super::change::{Change, check_count};
use super::entry::Entry;
use super::history::{Action, attributes};
use crate::Store;
use crate::error::StoreError;
use crate::keys::{Item, layer};

impl Store {
    /// Sets names of one layer, all or none.
    pub async fn set_config(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        values: &[(ConfigName, String)],
    ) -> Result<(), StoreError> {
        let layer = layer(app, release);
        for (name, value) in values {
            without_nul(&layer, name, value)?;
        }
        let plain = |value: &String| Entry::Value(ConfigValue::plain(value.clone()));
        self.set(app, release, values.iter().map(|(name, value)| (name.clone(), plain(value))).collect())
            .await
    }

    /// Sets secrets of one layer, all or none: encrypted with one new data key of the KMS key `key` (its id,
    /// ARN or alias), in one KMS call.
    pub async fn set_secrets(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        key: &str,
        values: &[(ConfigName, ConfigValue)],
    ) -> Result<(), StoreError> {
        let layer = layer(app, release);
        for (name, value) in values {
            without_nul(&layer, name, value.expose())?;
        }
        check_count(values.len())?;
        let sealed = self.seal(&layer, key, values).await?;
        let sealed = sealed.into_iter().map(|(name, sealed)| (name.clone(), Entry::Secret(sealed)));
        self.set(app, release, sealed.collect()).await
    }

    async fn set(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        entries: BTreeMap<ConfigName, Entry>,
    ) -> Result<(), StoreError> {
        let names = entries.keys().cloned().collect();
        let edit = |name: &ConfigName, _: Option<&Item>| entries.get(name).map(attributes);
        self.change(Change { app, release, action: Action::Set, names, edit: &edit }).await
    }

    /// Unsets names of one layer, all or none. In an Overlay a name that Base has is hidden by a tombstone.
    pub async fn unset_config(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        names: &[ConfigName],
    ) -> Result<(), StoreError> {
        let base: BTreeMap<ConfigName, Entry> = match release {
            Some(_) => self.read_layer(app, None).await?.into_iter().collect(),
            None => BTreeMap::new(),
        };
        let edit =
            |name: &ConfigName, _: Option<&Item>| base.contains_key(name).then(|| attributes(&Entry::Unset));
        self.change(Change { app, release, action: Action::Unset, names: names.to_vec(), edit: &edit }).await
    }
}

/// What no environment can hold is refused before it is written, not when an instance boots.
fn without_nul(layer: &str, name: &ConfigName, value: &str) -> Result<(), StoreError> {
    if value.contains('\0') {
        return Err(StoreError::Config {
            key: format!("{layer}/{name}"),
            problem: "the value holds a NUL byte, which no environment variable can".to_owned(),
        });
    }
    Ok(())
}
