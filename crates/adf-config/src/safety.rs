//! What speaks against a change of config: a release that runs, or that a rollback may bring back, would not start with
//! what it would see then.
//!
//! Every release keeps the `[config]` of its adf.toml in its record. Releases that nothing uses are not asked; neither is
//! a release whose Overlay says something else of the name.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use adf_store::{Entry, Fence, Store, StoreError, Usage};
use adf_types::{AppName, BadValue, ConfigName, ConfigRules, ReleaseName};

use crate::error::ConfigError;

/// What a name becomes by a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Becomes<'a> {
    Value(&'a str),
    /// A secret that is not decrypted for this.
    Sealed,
    /// Not seen: by any release, or by the one whose Overlay hides it.
    Gone,
    /// The layer says no more of it: in an Overlay, what Base says counts.
    Unsaid,
}

/// What a change would make of the names of one layer.
pub type Intended<'a> = BTreeMap<&'a ConfigName, Becomes<'a>>;

/// One thing that speaks against a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    pub name: ConfigName,
    /// Whose adf.toml says so; nothing: the one at hand.
    pub release: Option<ReleaseName>,
    pub reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    Required,
    Value(BadValue),
    /// The name changes which code a container's programs load, and is not among `allow_names`.
    TakesOver,
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        let whose = self.release.as_ref().map_or("adf.toml", ReleaseName::as_str);
        match &self.reason {
            Reason::Required => write!(f, "{whose} requires {name}"),
            Reason::Value(bad) => write!(f, "{name} {bad}, says {whose}"),
            Reason::TakesOver => {
                write!(
                    f,
                    "{name} changes which code a container's programs load, and {whose} does not allow it"
                )
            }
        }
    }
}

/// What was found out about a change.
#[derive(Debug, Clone, Default)]
pub struct Looked {
    /// Everything that speaks against it, sorted by name.
    pub objections: Vec<Objection>,
    /// The change is only to be made if no deploy began since it was looked at.
    pub fence: Option<Fence>,
    /// Whether the state table may not be read, so that nobody knows which releases run.
    pub blind: bool,
}

/// Looks for what speaks against the change. `own` is the adf.toml at hand, if there is one.
pub async fn look(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
    intended: &Intended<'_>,
    own: Option<&ConfigRules>,
) -> Result<Looked, ConfigError> {
    let (usage, blind) = match store.usage(app).await {
        // As clients of 2013 have it: rights on the config table and on nothing else.
        Err(StoreError::AccessDenied { .. }) => (Usage::default(), true),
        other => (other?, false),
    };
    let mut objections = match release {
        None => to_base(store, app, &usage, intended).await?,
        Some(release) => to_overlay(store, app, &usage, release, intended).await?,
    };
    let recorded = release.is_some_and(|release| usage.releases.iter().any(|r| r.release == *release));
    let nobody = ConfigRules::default();
    let own = own.or_else(|| usage.live().next().is_none().then_some(&nobody));
    if let Some(rules) = own.filter(|_| !recorded) {
        objections.extend(broken(None, rules, each(intended), false));
    }
    objections.sort_by(|a, b| (&a.name, &a.release).cmp(&(&b.name, &b.release)));
    Ok(Looked { objections, fence: usage.fence().cloned(), blind })
}

fn each<'a>(intended: &Intended<'a>) -> impl Iterator<Item = (&'a ConfigName, Becomes<'a>)> {
    intended.iter().map(|(name, becomes)| (*name, *becomes))
}

async fn to_base(
    store: &Store,
    app: &AppName,
    usage: &Usage,
    intended: &Intended<'_>,
) -> Result<Vec<Objection>, ConfigError> {
    let mut found = Vec::new();
    for record in usage.live() {
        let against = |own: &BTreeSet<ConfigName>| {
            let counts = each(intended).filter(|(name, _)| !own.contains(*name));
            broken(Some(&record.release), &record.config, counts, true)
        };
        // Only what the rules object to is worth the call that tells whether the Overlay says otherwise.
        if !against(&BTreeSet::new()).is_empty() {
            found.extend(against(&own_names(store, app, &record.release).await?));
        }
    }
    Ok(found)
}

/// Names of which a release's own Overlay says something, also where clean-up has put it aside: a rollback to the release
/// brings it back.
async fn own_names(
    store: &Store,
    app: &AppName,
    release: &ReleaseName,
) -> Result<BTreeSet<ConfigName>, ConfigError> {
    let names = store.names(app, Some(release)).await?;
    let aside = names.cleaned.into_iter().filter(|cleaned| !cleaned.purged).map(|cleaned| cleaned.name);
    Ok(names.live.into_iter().chain(names.hidden).chain(aside).collect())
}

async fn to_overlay(
    store: &Store,
    app: &AppName,
    usage: &Usage,
    release: &ReleaseName,
    intended: &Intended<'_>,
) -> Result<Vec<Objection>, ConfigError> {
    let Some(record) = usage.releases.iter().find(|r| r.release == *release) else { return Ok(Vec::new()) };
    let live = usage.live().any(|r| r.release == *release);
    let base: BTreeMap<ConfigName, Entry> = if intended.values().any(|b| *b == Becomes::Unsaid) {
        store.read_layer(app, None).await?.into_iter().collect()
    } else {
        BTreeMap::new()
    };
    // Where the Overlay says no more of a name, the release sees what Base says.
    let seen = each(intended).map(|(name, becomes)| match (becomes, base.get(name)) {
        (Becomes::Unsaid, Some(Entry::Value(value))) => (name, Becomes::Value(value.expose())),
        (Becomes::Unsaid, Some(Entry::Secret(_))) => (name, Becomes::Sealed),
        (becomes, _) => (name, becomes),
    });
    Ok(broken(Some(release), &record.config, seen, live))
}

/// What of the names the rules object to; that a name is required counts only for a release in use.
fn broken<'a>(
    release: Option<&ReleaseName>,
    rules: &ConfigRules,
    intended: impl Iterator<Item = (&'a ConfigName, Becomes<'a>)>,
    in_use: bool,
) -> Vec<Objection> {
    let reason = |name: &ConfigName, becomes| match becomes {
        Becomes::Gone | Becomes::Unsaid => {
            (in_use && rules.required.contains(name)).then_some(Reason::Required)
        }
        _ if name.takes_over() && !rules.allow_names.contains(name) => Some(Reason::TakesOver),
        Becomes::Value(value) => rules.check_value(name, value).err().map(Reason::Value),
        Becomes::Sealed => None,
    };
    let objection = |(name, becomes): (&'a ConfigName, Becomes<'a>)| {
        let reason = reason(name, becomes)?;
        Some(Objection { name: name.clone(), release: release.cloned(), reason })
    };
    intended.filter_map(objection).collect()
}
