//! Deleting names of an app's config.
//!
//! From Base a name is removed. From a release's view it is removed, and hidden where Base has it. A name
//! that is not there is no error, because it is gone already; the result says so, for it may be misspelt.

use std::collections::BTreeSet;

use adf_store::{ConfigVersion, Edits, Entry, Store};
use adf_types::{AppName, ConfigName, ReleaseName};
use serde::Serialize;

use crate::error::ConfigError;
use crate::printer::Text;
use crate::text::joined;

/// Which names were deleted, and which were not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unset {
    pub app: AppName,
    pub release: Option<ReleaseName>,
    pub unset: Vec<ConfigName>,
    pub absent: Vec<ConfigName>,
}

impl Unset {
    /// One sentence for the operator.
    pub fn summary(&self) -> String {
        let (unset, absent) = match &self.release {
            None => (
                format!("deleted from Base config of {}", self.app),
                format!("not in Base config of {}", self.app),
            ),
            Some(release) => {
                (format!("unset for {} {release}", self.app), format!("not set for {} {release}", self.app))
            }
        };
        let clause = |words: &str, names: &[ConfigName]| {
            (!names.is_empty()).then(|| format!("{} {words}", joined(names)))
        };
        let clauses = [clause(&unset, &self.unset), clause(&absent, &self.absent)];
        clauses.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

impl Text for Unset {
    fn text(&self) -> String {
        String::new()
    }
}

/// Deletes names from Base config, or from what `release` sees.
pub async fn unset(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
    names: Vec<ConfigName>,
    based_on: Option<ConfigVersion>,
) -> Result<Unset, ConfigError> {
    let there = visible(store, app, release).await?;
    let wanted: BTreeSet<ConfigName> = names.into_iter().collect();
    let (unset, absent): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|name| there.contains(name));
    if !unset.is_empty() {
        let edits = Edits { based_on, ..Edits::unset(unset.clone()) };
        store.edit_config(app, release, &edits).await?;
    }
    Ok(Unset { app: app.clone(), release: release.cloned(), unset, absent })
}

async fn visible(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
) -> Result<BTreeSet<ConfigName>, ConfigError> {
    if let Some(release) = release {
        let seen = store.read_seen(app, release).await?;
        return Ok(seen.into_iter().map(|seen| seen.name).collect());
    }
    let base = store.read_layer(app, None).await?;
    let values = base.into_iter().filter(|(_, entry)| !matches!(entry, Entry::Unset));
    Ok(values.map(|(name, _)| name).collect())
}
