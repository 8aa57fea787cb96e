//! The config and state tables, through `adf-store`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use adf_store::{ConfigVersion, Store, StoreError};
use adf_types::{AppName, Config, Receipt, ReleaseImage, ReleaseName, ReleaseRecord};
use async_trait::async_trait;

use super::clock::in_time;
use super::{Table, TableError};
use crate::failure::{Kind, chain};

pub(in crate::world) struct StoreTable {
    store: Store,
    /// The version of the config that came with the release record. The first read of the config begins with it, and
    /// so needs one call less; a later read asks anew.
    version: Mutex<Option<ConfigVersion>>,
}

impl StoreTable {
    pub(in crate::world) fn new(store: Store) -> Self {
        Self { store, version: Mutex::default() }
    }

    fn version(&self) -> MutexGuard<'_, Option<ConfigVersion>> {
        self.version.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Table for StoreTable {
    async fn read_config(&self, app: &AppName, release: &ReleaseName) -> Result<Config, TableError> {
        let known = self.version().take();
        in_time(|| self.store.boot_config(app, release, known)).await.map_err(TableError::from)
    }

    async fn release(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Option<ReleaseRecord>, TableError> {
        let (record, version) = in_time(|| self.store.release_and_version(app, release)).await?;
        *self.version() = Some(version);
        Ok(record)
    }

    async fn release_image(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Option<ReleaseImage>, TableError> {
        self.store.release_image(app, release).await.map_err(TableError::from)
    }

    async fn put_release_image(
        &self,
        app: &AppName,
        release: &ReleaseName,
        image: &ReleaseImage,
    ) -> Result<ReleaseImage, TableError> {
        self.store.put_release_image(app, release, image).await.map_err(TableError::from)
    }

    async fn put_receipt(&self, receipt: &Receipt) -> Result<(), TableError> {
        self.store.put_receipt(receipt).await.map_err(TableError::from)
    }
}

impl From<StoreError> for TableError {
    fn from(error: StoreError) -> Self {
        let kind = if error.is_transient() { Kind::Transient } else { Kind::Permanent };
        Self { kind, message: chain(&error) }
    }
}
