//! Deleting names of an app's config.
//!
//! From Base a name is removed. From a release's view it is removed, and hidden where Base has it. A name
//! that is not there is no error, because it is gone already; the result says so, for it may be misspelt.

use std::collections::BTreeSet;

use adf_store::{Edits, Store};
use adf_types::{AppName, ConfigName, ReleaseName};
use serde::Serialize;

use crate::error::ConfigError;
use crate::printer::Text;
use crate::set::set;
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

/// Deletes names from Base config, or from what `release` sees: those of `edits` that are there.
pub async fn unset(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
    edits: Edits,
    in_parts: bool,
) -> Result<Unset, ConfigError> {
    let there = there(store, app, release).await?;
    let wanted: BTreeSet<ConfigName> = edits.unset.iter().cloned().collect();
    let (unset, absent): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|name| there.contains(name));
    let edits = Edits { unset: unset.clone(), ..edits };
    if !unset.is_empty() {
        set(store, app, release, &edits, in_parts).await?;
    }
    Ok(Unset { app: app.clone(), release: release.cloned(), unset, absent })
}

/// What can be unset: also a name whose item cannot be read as config, and one that clean-up has marked.
async fn there(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
) -> Result<BTreeSet<ConfigName>, ConfigError> {
    let base = store.names(app, None).await?.live;
    if release.is_none() {
        return Ok(base);
    }
    let overlay = store.names(app, release).await?;
    let seen = base.difference(&overlay.hidden).cloned().chain(overlay.live);
    Ok(seen.chain(overlay.cleaned.into_iter().map(|cleaned| cleaned.name)).collect())
}
