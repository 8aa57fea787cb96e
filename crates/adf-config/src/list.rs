//! Listing an app's config.

use adf_store::{ConfigVersion, Entry, LayerNames, Store, StoreError};
use adf_types::{AppName, ConfigName, ReleaseName};
use serde::Serialize;

use crate::error::ConfigError;
use crate::known::known;
use crate::printer::Text;
use crate::text::{joined, plain};

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
    /// Names that clean-up took from the release's Overlay: the release was made for a config that has them.
    pub cleaned: Vec<ConfigName>,
}

impl Listing {
    /// What somebody should know who reads the list.
    pub fn warning(&self) -> Option<String> {
        let release = self.release.as_ref()?;
        let cleaned = joined(&self.cleaned);
        (!cleaned.is_empty()).then(|| {
            format!("clean-up took {cleaned} from the Overlay of {release}; restore --release {release} brings it back")
        })
    }
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
    let (config, overlay) = match release {
        None => (base(store, app).await?, LayerNames::default()),
        Some(release) => of_release(store, app, release).await?,
    };
    let hidden = overlay.hidden.into_iter().collect();
    let cleaned = overlay.cleaned.into_iter().map(|cleaned| cleaned.name).collect();
    let listing = Listing { app: app.clone(), release: release.cloned(), version, config, hidden, cleaned };
    if listing.config.is_empty() && listing.cleaned.is_empty() {
        let unknown = match store.releases(app).await {
            // Who only has rights on the config table knows the app by nothing else.
            Err(StoreError::AccessDenied { .. }) => true,
            other => other?.is_empty(),
        };
        if unknown {
            return Err(ConfigError::UnknownApp(app.clone()));
        }
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

/// What the release sees, and the names of its Overlay.
async fn of_release(
    store: &Store,
    app: &AppName,
    release: &ReleaseName,
) -> Result<(Vec<Item>, LayerNames), ConfigError> {
    let overlay = known(store, app, release).await?;
    let seen = store.read_seen(app, release).await?;
    let layer = |overlay| if overlay { Layer::Overlay } else { Layer::Base };
    let config =
        seen.into_iter().filter_map(|seen| item(seen.name, &seen.entry, layer(seen.overlay))).collect();
    Ok((config, overlay))
}

fn item(name: ConfigName, entry: &Entry, layer: Layer) -> Option<Item> {
    let value = match entry {
        Entry::Value(value) => Some(value.expose().to_owned()),
        Entry::Secret(_) => None,
        Entry::Unset => return None,
    };
    Some(Item { name, value, layer })
}

/// `Base config of web`, `the Overlay config of web v2`.
pub(crate) fn layer_in_words(app: &AppName, release: Option<&ReleaseName>) -> String {
    match release {
        None => format!("Base config of {app}"),
        Some(release) => format!("the Overlay config of {app} {release}"),
    }
}
