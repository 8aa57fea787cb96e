//! The config and state tables, through `adf-store`.

use adf_store::{Store, StoreError};
use adf_types::{AppName, Config, Receipt, ReleaseImage, ReleaseName, ReleaseRecord};
use async_trait::async_trait;

use super::clock::in_time;
use super::{Table, TableError};
use crate::failure::{Kind, chain};

pub(in crate::world) struct StoreTable(pub(in crate::world) Store);

#[async_trait]
impl Table for StoreTable {
    async fn read_config(&self, app: &AppName, release: &ReleaseName) -> Result<Config, TableError> {
        let read = || self.0.boot_config(app, release);
        in_time(read).await.map_err(TableError::from)
    }

    async fn release(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Option<ReleaseRecord>, TableError> {
        in_time(|| self.0.release(app, release)).await.map_err(TableError::from)
    }

    async fn release_image(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Option<ReleaseImage>, TableError> {
        self.0.release_image(app, release).await.map_err(TableError::from)
    }

    async fn put_release_image(
        &self,
        app: &AppName,
        release: &ReleaseName,
        image: &ReleaseImage,
    ) -> Result<ReleaseImage, TableError> {
        self.0.put_release_image(app, release, image).await.map_err(TableError::from)
    }

    async fn put_receipt(&self, receipt: &Receipt) -> Result<(), TableError> {
        self.0.put_receipt(receipt).await.map_err(TableError::from)
    }
}

impl From<StoreError> for TableError {
    fn from(error: StoreError) -> Self {
        let kind = if error.is_transient() { Kind::Transient } else { Kind::Permanent };
        Self { kind, message: chain(&error) }
    }
}
