//! Listing an app's config.

use adf_store::{ConfigVersion, Entry, Store};
use adf_types::{AppName, ConfigName, ReleaseName};
use serde::Serialize;

use crate::error::ConfigError;
use crate::printer::Text;
use crate::text::plain;

/// Base config, or what one release sees: Base, then its Overlay. Sorted by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    pub app: AppName,
    pub release: Option<ReleaseName>,
    /// For `--based-on`: a change on this basis writes over nothing that was written after it.
    pub version: ConfigVersion,
    pub config: Vec<Item>,
    /// Names of Base config that the release's Overlay hides.
    pub hidden: Vec<ConfigName>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    pub name: ConfigName,
    /// Nothing for a secret: listing needs no right to decrypt, and a list ends up on screens.
    pub value: Option<String>,
    pub layer: Layer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Applies to every release.
    Base,
    /// Applies to one release.
    Overlay,
}

impl Text for Listing {
    fn text(&self) -> String {
        let lines = self.config.iter().map(|item| match &item.value {
            Some(value) => format!("{}={}", item.name, plain(value)),
            None => format!("{} (secret)", item.name),
        });
        lines.flat_map(|line| [line, "\n".to_owned()]).collect()
    }
}

/// Reads the config of an app, or of one of its releases. An app that has neither config nor releases, and
/// a release that has neither record nor Overlay, are unknown: an empty list would hide a misspelt name.
pub async fn list(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
) -> Result<Listing, ConfigError> {
    // Before the config: what is written in between is then newer than the version.
    let version = store.config_version(app).await?;
    let (config, hidden) = match release {
        None => (base(store, app).await?, Vec::new()),
        Some(release) => of_release(store, app, release).await?,
    };
    let listing = Listing { app: app.clone(), release: release.cloned(), version, config, hidden };
    if listing.config.is_empty() && store.releases(app).await?.is_empty() {
        return Err(ConfigError::UnknownApp(app.clone()));
    }
    Ok(listing)
}

async fn base(store: &Store, app: &AppName) -> Result<Vec<Item>, ConfigError> {
    let layer = store.read_layer(app, None).await?;
    let items = layer.into_iter().filter_map(|(name, entry)| item(name, &entry, Layer::Base));
    let mut config: Vec<Item> = items.collect();
    config.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(config)
}

/// What the release sees, and the names that its Overlay hides.
async fn of_release(
    store: &Store,
    app: &AppName,
    release: &ReleaseName,
) -> Result<(Vec<Item>, Vec<ConfigName>), ConfigError> {
    let overlay = store.read_layer(app, Some(release)).await?;
    if overlay.is_empty() && store.release(app, release).await?.is_none() {
        return Err(unknown_release(store, app, release).await?);
    }
    let seen = store.read_seen(app, release).await?;
    let hides = |entry: &Entry| matches!(entry, Entry::Unset);
    let hidden = overlay.iter().filter(|(_, e)| hides(e)).map(|(name, _)| name.clone()).collect();
    let layer = |overlay| if overlay { Layer::Overlay } else { Layer::Base };
    let config =
        seen.into_iter().filter_map(|seen| item(seen.name, &seen.entry, layer(seen.overlay))).collect();
    Ok((config, hidden))
}

fn item(name: ConfigName, entry: &Entry, layer: Layer) -> Option<Item> {
    let value = match entry {
        Entry::Value(value) => Some(value.expose().to_owned()),
        Entry::Secret(_) => None,
        Entry::Unset => return None,
    };
    Some(Item { name, value, layer })
}

async fn unknown_release(
    store: &Store,
    app: &AppName,
    release: &ReleaseName,
) -> Result<ConfigError, ConfigError> {
    let known = store.releases(app).await?.into_iter().map(|r| r.release).collect::<Vec<_>>();
    if known.is_empty() && store.read_layer(app, None).await?.is_empty() {
        return Ok(ConfigError::UnknownApp(app.clone()));
    }
    Ok(ConfigError::UnknownRelease { app: app.clone(), release: release.clone(), known })
}

/// `Base config of web`, `the Overlay config of web v2`.
pub(crate) fn layer_in_words(app: &AppName, release: Option<&ReleaseName>) -> String {
    match release {
        None => format!("Base config of {app}"),
        Some(release) => format!("the Overlay config of {app} {release}"),
    }
}
