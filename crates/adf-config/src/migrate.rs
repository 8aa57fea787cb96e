//! From a table that the first documentation of 2013 led to, whose range key is `Value`, to a right one.
//!
//! In such a table the value is part of the key and the name is not. So a name that was set twice has two items, and
//! nothing says which is younger: that is for a person to decide. And two names that were set to the same value were one
//! item, of which the table has only the later.
//!
//! The rule: the old table is read, never written; in the right one nothing is written over.

use std::collections::{BTreeMap, BTreeSet};

use adf_store::{EditBasis, Edits, Entry, Store};
use adf_types::{AppName, ConfigName, ConfigRules, ConfigValue};
use serde::Serialize;

use crate::error::ConfigError;
use crate::printer::Text;
use crate::safety::{Becomes, look};
use crate::set;
use crate::text::{joined, plain};

/// What was copied, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Migrated {
    pub copied: Vec<ConfigName>,
    /// There already, with the value of the old table, or with one of its values.
    pub there: Vec<ConfigName>,
    /// There already, with another value, which was kept: somebody decided so.
    pub kept: Vec<ConfigName>,
    /// With several values in the old table: none was copied.
    pub collided: Vec<Collision>,
    /// What a release that runs, or the adf.toml at hand, does not take.
    pub refused: Vec<String>,
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
        self.collided.is_empty() && self.refused.is_empty() && self.unusable.is_empty()
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
        let refused = self.refused.iter().map(|objection| format!("refused: {objection}\n"));
        let unusable = self.unusable.iter().map(|problem| format!("not config: {problem}\n"));
        let lines = [
            all("copied", &self.copied),
            all("there already", &self.there),
            all("there with another value, which was kept", &self.kept),
        ];
        lines.into_iter().chain(collided).chain(refused).chain(unusable).collect()
    }
}

/// Copies the app's config of the table `from` into Base config. `rules` are those of the adf.toml at hand.
pub async fn migrate(
    store: &Store,
    app: &AppName,
    from: &str,
    rules: Option<&ConfigRules>,
) -> Result<Migrated, ConfigError> {
    let old = store.read_value_keyed(from, app).await?;
    if old.values.is_empty() && old.unusable.is_empty() {
        return Err(ConfigError::NothingToMigrate { app: app.clone(), from: from.to_owned() });
    }
    let mut values: BTreeMap<ConfigName, BTreeSet<String>> = BTreeMap::new();
    for (name, value) in old.values {
        values.entry(name).or_default().insert(value);
    }
    let there: BTreeMap<ConfigName, Entry> = store.read_layer(app, None).await?.into_iter().collect();
    let mut migrated = Migrated { unusable: old.unusable, ..Migrated::default() };
    let mut new = BTreeMap::new();
    for (name, values) in values {
        match there.get(&name) {
            Some(Entry::Value(is)) if values.contains(is.expose()) => migrated.there.push(name),
            Some(_) => migrated.kept.push(name),
            None if values.len() > 1 => {
                migrated.collided.push(Collision { name, values: values.into_iter().collect() });
            }
            None => new.extend(values.into_iter().next().map(|value| (name, value))),
        }
    }
    let intended = new.iter().map(|(name, value)| (name, Becomes::Value(value))).collect();
    let looked = look(store, app, None, &intended, rules).await?;
    for objection in &looked.objections {
        new.remove(&objection.name);
    }
    migrated.refused = looked.objections.iter().map(ToString::to_string).collect();
    let set = new.into_iter().map(|(name, value)| (name, ConfigValue::plain(value))).collect();
    let edits = Edits { basis: EditBasis::Absent, fence: looked.fence, ..Edits::set(set) };
    migrated.copied = set::set(store, app, None, &edits, true).await?.set;
    Ok(migrated)
}
