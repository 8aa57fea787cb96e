//! Whether what a release sees is what it was made for. A release that nobody knows, and one whose Overlay was cleaned up,
//! would be shown Base config alone; a misspelt name must not pass for that.

use adf_store::{LayerNames, Store, StoreError};
use adf_types::{AppName, ReleaseName};

use crate::error::ConfigError;

/// Fails unless the release is known, by its record or its Overlay, and its Overlay is whole. Base is always known.
pub async fn whole(store: &Store, app: &AppName, release: Option<&ReleaseName>) -> Result<(), ConfigError> {
    let Some(release) = release else { return Ok(()) };
    let names = known(store, app, release).await?;
    match names.cleaned.into_iter().next() {
        None => Ok(()),
        Some(cleaned) => {
            let (app, release, at) = (app.clone(), release.clone(), cleaned.at);
            Err(StoreError::CleanedUp { app, release, at }.into())
        }
    }
}

/// The names of the Overlay of a release that is known, by its record or by that Overlay.
pub async fn known(store: &Store, app: &AppName, release: &ReleaseName) -> Result<LayerNames, ConfigError> {
    let names = store.names(app, Some(release)).await?;
    if names == LayerNames::default() && store.release(app, release).await?.is_none() {
        return Err(unknown_release(store, app, release).await?);
    }
    Ok(names)
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
