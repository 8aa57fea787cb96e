//! From a table that the first documentation of 2013 led to, whose range key is `Value`, to a right one.
//!
//! In such a table the value is part of the key and the name is not. So a name that was set twice has two items, and
//! nothing says which is younger: that is for a person to decide. And two names that were set to the same value were one
//! item, of which the table has only the later.
//!
//! The rule: the old table is read, never written; in the right one nothing is written over.

use std::collections::{BTreeMap, BTreeSet};

use adf_store::{Edits, Entry, Store};
use adf_types::{AppName, ConfigName, ConfigValue};
use serde::Serialize;

use crate::error::ConfigError;
use crate::printer::Text;
use crate::set::set_in_parts;
use crate::text::{joined, plain};

/// What was copied, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Migrated {
    pub copied: Vec<ConfigName>,
    /// There already, with the same value.
    pub there: Vec<ConfigName>,
    /// With several values in the old table: none was copied.
    pub collided: Vec<Collision>,
    /// There already, with another value, which was kept.
    pub kept: Vec<ConfigName>,
    /// Items that are no config, and what is wrong with them.
    pub unusable: Vec<String>,
}

/// A name with several values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Collision {
    pub name: ConfigName,
    pub values: Vec<String>,
}

impl Migrated {
    /// Whether every item of the old table has its place in the right one.
    pub fn is_whole(&self) -> bool {
        self.collided.is_empty() && self.kept.is_empty() && self.unusable.is_empty()
    }
}

impl Text for Migrated {
    fn text(&self) -> String {
        let all = |head: &str, names: &[ConfigName]| {
            if names.is_empty() { String::new() } else { format!("{head}: {}\n", joined(names)) }
        };
        let collided = self.collided.iter().map(|Collision { name, values }| {
            let values: Vec<_> =
                values.iter().map(|value| format!("    {name}={}\n", plain(value))).collect();
            format!("{name} collided, set the right one:\n{}", values.concat())
        });
        let unusable = self.unusable.iter().map(|problem| format!("not config: {problem}\n"));
        let lines = [
            all("copied", &self.copied),
            all("there already", &self.there),
            all("there with another value, which was kept", &self.kept),
        ];
        lines.into_iter().chain(collided).chain(unusable).collect()
    }
}

/// Copies the app's config of the table `from` into Base config.
pub async fn migrate(store: &Store, app: &AppName, from: &str) -> Result<Migrated, ConfigError> {
    let old = store.read_value_keyed(from, app).await?;
    let mut values: BTreeMap<ConfigName, BTreeSet<String>> = BTreeMap::new();
    for (name, value) in old.values {
        values.entry(name).or_default().insert(value);
    }
    let there: BTreeMap<ConfigName, Entry> = store.read_layer(app, None).await?.into_iter().collect();
    let mut migrated = Migrated { unusable: old.unusable, ..Migrated::default() };
    let mut set = Vec::new();
    for (name, values) in values {
        let mut values: Vec<String> = values.into_iter().collect();
        match (values.pop(), there.get(&name)) {
            (Some(value), _) if !values.is_empty() => {
                values.push(value);
                migrated.collided.push(Collision { name, values });
            }
            (Some(value), Some(Entry::Value(is))) if is.expose() == value => migrated.there.push(name),
            (Some(_), Some(_)) => migrated.kept.push(name),
            (Some(value), None) => set.push((name, ConfigValue::plain(value))),
            (None, _) => {}
        }
    }
    migrated.copied = set_in_parts(store, app, None, &Edits::set(set)).await?.set;
    Ok(migrated)
}
