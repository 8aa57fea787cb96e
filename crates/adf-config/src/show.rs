//! What a release sees, and which layer it has it from.

use std::collections::BTreeMap;

use adf_store::{Entry, Store};
use adf_types::{AppName, ConfigName, ReleaseName};
use serde::Serialize;

use crate::error::ConfigError;
use crate::list::{Layer, Listing, list};
use crate::printer::Text;
use crate::text::plain;

/// A config with the layer of each name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explained {
    pub app: AppName,
    pub release: Option<ReleaseName>,
    pub config: Vec<Origin>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Origin {
    pub name: ConfigName,
    /// What the release sees.
    pub value: Shown,
    pub layer: Layer,
    /// What Base says, where the Overlay says otherwise.
    pub base: Option<Shown>,
}

/// A value as far as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shown {
    Value(String),
    Secret,
    /// Hidden from the release by its Overlay.
    Hidden,
}

impl From<&Entry> for Shown {
    fn from(entry: &Entry) -> Self {
        match entry {
            Entry::Value(value) => Self::Value(value.expose().to_owned()),
            Entry::Secret(_) => Self::Secret,
            Entry::Unset => Self::Hidden,
        }
    }
}

impl Text for Explained {
    fn text(&self) -> String {
        self.config.iter().map(|origin| self.line(origin)).collect()
    }
}

impl Explained {
    /// `FOO=moon  # Overlay of v2; Base has FOO=world`
    fn line(&self, origin: &Origin) -> String {
        let shown = |shown: &Shown| match shown {
            Shown::Value(value) => format!("{}={}", origin.name, plain(value)),
            Shown::Secret => format!("{} (secret)", origin.name),
            Shown::Hidden => format!("{} (hidden)", origin.name),
        };
        let layer = match (&origin.layer, &self.release) {
            (Layer::Overlay, Some(release)) => format!("Overlay of {release}"),
            _ => "Base".to_owned(),
        };
        let base = origin.base.as_ref().map(|base| format!("; Base has {}", shown(base))).unwrap_or_default();
        format!("{}  # {layer}{base}\n", shown(&origin.value))
    }
}

/// Where each name of what `release` sees comes from, also the names that its Overlay hides.
pub async fn explain(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
) -> Result<Explained, ConfigError> {
    let Listing { app, release, config, hidden, .. } = list(store, app, release).await?;
    let base: BTreeMap<_, _> = match release {
        Some(_) => store.read_layer(&app, None).await?.into_iter().collect(),
        None => BTreeMap::new(),
    };
    let of_base = |name: &ConfigName| base.get(name).map(Shown::from);
    let seen = config.into_iter().map(|item| Origin {
        base: of_base(&item.name).filter(|_| item.layer == Layer::Overlay),
        value: item.value.map_or(Shown::Secret, Shown::Value),
        layer: item.layer,
        name: item.name,
    });
    let hidden = hidden.into_iter().map(|name| Origin {
        base: of_base(&name),
        value: Shown::Hidden,
        layer: Layer::Overlay,
        name,
    });
    let mut config: Vec<_> = seen.chain(hidden).collect();
    config.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Explained { app, release, config })
}
