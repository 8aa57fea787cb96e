//! Secrets encrypted anew.

use adf_store::Store;
use adf_types::{AppName, ConfigName, ReleaseName};
use serde::Serialize;

use crate::error::ConfigError;
use crate::list::layer_in_words;
use crate::printer::Text;
use crate::text::joined;

/// Which secrets were encrypted anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rekeyed {
    pub app: AppName,
    pub kms_key: String,
    pub layers: Vec<Layer>,
}

/// Names of Base, or of the Overlay of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Layer {
    pub release: Option<ReleaseName>,
    pub names: Vec<ConfigName>,
}

impl Rekeyed {
    /// One sentence for each layer.
    pub fn summary(&self) -> String {
        if self.layers.is_empty() {
            return format!("{} has no secrets", self.app);
        }
        let line = |layer: &Layer| {
            let words = layer_in_words(&self.app, layer.release.as_ref());
            format!("encrypted anew with {} in {words}: {}", self.kms_key, joined(&layer.names))
        };
        self.layers.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}

impl Text for Rekeyed {
    fn text(&self) -> String {
        String::new()
    }
}

/// Encrypts every secret of the app with a new data key of `key`: Base and every Overlay, or the Overlay of `release`
/// only. Each layer is one change, or several where it has more secrets than one change takes.
pub async fn rekey(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
    key: &str,
) -> Result<Rekeyed, ConfigError> {
    let layers = if release.is_some() {
        vec![release.cloned()]
    } else {
        let overlays = store.releases_with_overlay(app).await?;
        std::iter::once(None).chain(overlays.into_iter().map(Some)).collect()
    };
    let mut rekeyed = Rekeyed { app: app.clone(), kms_key: key.to_owned(), layers: Vec::new() };
    for release in layers {
        let names = store.rekey(app, release.as_ref(), key).await?;
        rekeyed.layers.extend((!names.is_empty()).then_some(Layer { release, names }));
    }
    Ok(rekeyed)
}
