//! What operators change: names set, secrets set, names unset.

use std::collections::BTreeMap;

use adf_types::{AppName, ConfigName, ConfigValue, ReleaseName};

use super::basis::Basis;
use super::change::{Change, check_count};
use super::entry::Entry;
use super::history::{Action, attributes};
use super::size;
use super::version::ConfigVersion;
use crate::error::StoreError;
use crate::keys::{Item, layer};
use crate::{Fence, Store};

/// What names of one layer are to become, all or none.
#[derive(Debug, Clone, Default)]
pub struct Edits {
    pub set: Vec<(ConfigName, ConfigValue)>,
    /// The KMS key (its id, ARN or alias) that the values are encrypted with, with one new data key and in one KMS call;
    /// nothing to store them as they are.
    pub key: Option<String>,
    /// In an Overlay a name that Base has is hidden by a tombstone.
    pub unset: Vec<ConfigName>,
    /// What the author knew: what was written since is not written over.
    pub basis: EditBasis,
    /// The edits are only made if no deploy began since; nothing to make them whatever is deployed.
    pub fence: Option<Fence>,
}

/// What an author knew of the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EditBasis {
    /// What they are when the edit begins.
    #[default]
    Now,
    /// What they were at this version.
    Version(ConfigVersion),
    /// That they are not there.
    Absent,
}

impl Edits {
    /// Names that are set as they are.
    pub fn set(values: Vec<(ConfigName, ConfigValue)>) -> Self {
        Self { set: values, ..Self::default() }
    }

    /// Names that are set, encrypted with the KMS key.
    pub fn secrets(key: &str, values: Vec<(ConfigName, ConfigValue)>) -> Self {
        Self { set: values, key: Some(key.to_owned()), ..Self::default() }
    }

    pub fn unset(names: Vec<ConfigName>) -> Self {
        Self { unset: names, ..Self::default() }
    }
}

impl Store {
    /// Makes one change of one layer.
    pub async fn edit_config(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        edits: &Edits,
    ) -> Result<(), StoreError> {
        let layer = layer(app, release);
        Self::check_edits(app, release, edits)?;
        check_count(edits.set.len() + edits.unset.len())?;
        let base = if release.is_some() && !edits.unset.is_empty() {
            self.read_layer(app, None).await?.into_iter().collect()
        } else {
            BTreeMap::new()
        };
        let hidden = |name: &ConfigName| base.contains_key(name).then_some(Entry::Unset);
        let mut entries: BTreeMap<ConfigName, Option<Entry>> = self.stored(&layer, edits).await?;
        entries.extend(edits.unset.iter().map(|name| (name.clone(), hidden(name))));
        let edit = |name: &ConfigName, _: Option<&Item>| entries.get(name)?.as_ref().map(attributes);
        let action = if edits.set.is_empty() { Action::Unset } else { Action::Set };
        let absent = entries.keys().map(|name| (name.clone(), None)).collect();
        let basis = match edits.basis {
            EditBasis::Now => Basis::Now,
            EditBasis::Version(version) => Basis::Version(version),
            EditBasis::Absent => Basis::Read(&absent),
        };
        let names = entries.keys().cloned().collect();
        let guard = edits.fence.as_ref().map(|fence| self.no_deploy_since(app, fence));
        self.change(Change { basis, guard, ..Change::new(app, release, action, names, &edit) }).await
    }

    /// What can be known of the values before anything is sent: that an environment, and DynamoDB, can hold each.
    pub fn check_edits(
        app: &AppName,
        release: Option<&ReleaseName>,
        edits: &Edits,
    ) -> Result<(), StoreError> {
        let layer = layer(app, release);
        for (name, value) in &edits.set {
            without_nul(&layer, name, value.expose())?;
            size::check_value(&layer, name, value.expose())?;
        }
        Ok(())
    }

    /// What is set, in the form that it is stored in.
    async fn stored(
        &self,
        layer: &str,
        edits: &Edits,
    ) -> Result<BTreeMap<ConfigName, Option<Entry>>, StoreError> {
        let Some(key) = &edits.key else {
            let entry = |(name, value): &(ConfigName, ConfigValue)| {
                (name.clone(), Some(Entry::Value(ConfigValue::plain(value.expose()))))
            };
            return Ok(edits.set.iter().map(entry).collect());
        };
        let sealed = self.seal(layer, key, &edits.set).await?.into_iter();
        Ok(sealed.map(|(name, sealed)| (name.clone(), Some(Entry::Secret(sealed)))).collect())
    }

    /// Sets names of one layer, all or none.
    pub async fn set_config(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        values: &[(ConfigName, String)],
    ) -> Result<(), StoreError> {
        let plain = |(name, value): &(ConfigName, String)| (name.clone(), ConfigValue::plain(value.clone()));
        self.edit_config(app, release, &Edits::set(values.iter().map(plain).collect())).await
    }

    /// Sets secrets of one layer, all or none, encrypted with the KMS key `key`.
    pub async fn set_secrets(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        key: &str,
        values: &[(ConfigName, ConfigValue)],
    ) -> Result<(), StoreError> {
        self.edit_config(app, release, &Edits::secrets(key, values.to_vec())).await
    }

    /// Unsets names of one layer, all or none.
    pub async fn unset_config(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        names: &[ConfigName],
    ) -> Result<(), StoreError> {
        self.edit_config(app, release, &Edits::unset(names.to_vec())).await
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
