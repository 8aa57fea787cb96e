//! What two releases see differently.

use adf_store::{Entry, Store};
use adf_types::{AppName, ConfigName, ReleaseName};
use serde::Serialize;
use std::collections::BTreeMap;

use crate::error::ConfigError;
use crate::known::whole;
use crate::printer::Text;
use crate::text::plain;

/// The names that differ, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Differences {
    pub app: AppName,
    pub from: ReleaseName,
    pub to: ReleaseName,
    pub names: Vec<Difference>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub name: ConfigName,
    pub from: Seen,
    pub to: Seen,
}

/// What one release sees of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Seen {
    Absent,
    Value(String),
    /// Its value is not shown; two secrets that were encrypted apart count as different.
    Secret,
}

impl Seen {
    fn of(entry: Option<&Entry>) -> Self {
        match entry {
            Some(Entry::Value(value)) => Self::Value(value.expose().to_owned()),
            Some(Entry::Secret(_)) => Self::Secret,
            Some(Entry::Unset) | None => Self::Absent,
        }
    }

    fn line(&self, sign: char, name: &ConfigName) -> String {
        match self {
            Self::Absent => String::new(),
            Self::Value(value) => format!("{sign}{name}={}\n", plain(value)),
            Self::Secret => format!("{sign}{name} (secret)\n"),
        }
    }
}

impl Text for Differences {
    /// As diff(1) shows lines: `-` is only in the first, `+` only in the second.
    fn text(&self) -> String {
        let lines = |d: &Difference| d.from.line('-', &d.name) + &d.to.line('+', &d.name);
        self.names.iter().map(lines).collect()
    }
}

pub async fn diff(
    store: &Store,
    app: &AppName,
    from: &ReleaseName,
    to: &ReleaseName,
) -> Result<Differences, ConfigError> {
    let seen = async |release| {
        whole(store, app, Some(release)).await?;
        let seen = store.read_seen(app, release).await?;
        Ok::<BTreeMap<_, _>, ConfigError>(seen.into_iter().map(|seen| (seen.name, seen.entry)).collect())
    };
    let (before, after) = (seen(from).await?, seen(to).await?);
    let mut names: Vec<_> = before.keys().chain(after.keys()).cloned().collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| before.get(name) != after.get(name));
    let difference = |name: ConfigName| Difference {
        from: Seen::of(before.get(&name)),
        to: Seen::of(after.get(&name)),
        name,
    };
    let names = names.into_iter().map(difference).collect();
    Ok(Differences { app: app.clone(), from: from.clone(), to: to.clone(), names })
}
