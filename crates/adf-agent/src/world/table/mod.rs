//! The config and state tables, in our words; `store.rs` reads the real ones through `adf-store`.

mod clock;
mod store;

use adf_types::{AppName, Config, Receipt, ReleaseImage, ReleaseName, ReleaseRecord};
use async_trait::async_trait;

pub(in crate::world) use store::StoreTable;

use crate::failure::{Fault, Kind};

/// The config and state tables.
#[async_trait]
pub trait Table: Send + Sync {
    async fn read_config(&self, app: &AppName, release: &ReleaseName) -> Result<Config, TableError>;
    async fn release(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Option<ReleaseRecord>, TableError>;
    /// The image of the release, once an instance has pushed one.
    async fn release_image(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Option<ReleaseImage>, TableError>;
    /// Records an image unless there is one already, and tells which one is recorded.
    async fn put_release_image(
        &self,
        app: &AppName,
        release: &ReleaseName,
        image: &ReleaseImage,
    ) -> Result<ReleaseImage, TableError>;
    async fn put_receipt(&self, receipt: &Receipt) -> Result<(), TableError>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TableError {
    pub kind: Kind,
    /// Names table, operation and key.
    pub message: String,
}

impl Fault for TableError {
    fn kind(&self) -> Kind {
        self.kind
    }
}
