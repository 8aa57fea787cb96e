//! Config as it was.

use adf_store::{Fence, Store, Then};
use adf_types::{AppName, ConfigName, ReleaseName};
use serde::Serialize;

use crate::error::ConfigError;
use crate::list::layer_in_words;
use crate::printer::Text;
use crate::text::joined;

/// Which names have changed back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Restored {
    pub app: AppName,
    pub release: Option<ReleaseName>,
    pub restored: Vec<ConfigName>,
}

impl Restored {
    /// One sentence for the operator.
    pub fn summary(&self) -> String {
        let layer = layer_in_words(&self.app, self.release.as_ref());
        if self.restored.is_empty() {
            return format!("{layer} has nothing to restore; nothing was changed");
        }
        format!("restored {} in {layer}; instances read it when they boot", joined(&self.restored))
    }
}

impl Text for Restored {
    fn text(&self) -> String {
        String::new()
    }
}

/// Makes Base config, or the Overlay of `release`, what it was, unless a deploy began after `fence`.
pub async fn restore(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
    then: Then,
    fence: Option<&Fence>,
) -> Result<Restored, ConfigError> {
    store.restore_config(app, release, &then, fence).await?;
    Ok(Restored { app: app.clone(), release: release.cloned(), restored: then.names.into_keys().collect() })
}

/// Brings back what clean-up took from the Overlay of `release`.
pub async fn cleaned(store: &Store, app: &AppName, release: &ReleaseName) -> Result<Restored, ConfigError> {
    let restored = store.restore_overlay(app, release).await?;
    Ok(Restored { app: app.clone(), release: Some(release.clone()), restored })
}
