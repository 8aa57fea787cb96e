//! The config and state tables, in our words; `store.rs` reads the real ones through `adf-store`.

mod clock;
mod store;

use adf_types::{AppName, Config, Receipt, ReleaseName, ReleaseRecord};
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
