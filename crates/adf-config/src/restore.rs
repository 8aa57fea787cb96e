//! Config as it was.

use adf_store::{Moment, Store};
use adf_types::{AppName, ConfigName, ReleaseName};
use serde::Serialize;

use crate::error::ConfigError;
use crate::list::layer_in_words;
use crate::printer::Text;

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
            return format!("{layer} is as it was then; nothing was changed");
        }
        let names: Vec<&str> = self.restored.iter().map(ConfigName::as_str).collect();
        format!("restored {} in {layer}; instances read it when they boot", names.join(", "))
    }
}

impl Text for Restored {
    fn text(&self) -> String {
        String::new()
    }
}

/// Makes Base config, or the Overlay of `release`, what it was at a time or after a change.
pub async fn restore(
    store: &Store,
    app: &AppName,
    release: Option<&ReleaseName>,
    moment: &Moment,
) -> Result<Restored, ConfigError> {
    let restored = store.restore_config(app, release, moment).await?;
    Ok(Restored { app: app.clone(), release: release.cloned(), restored })
}
