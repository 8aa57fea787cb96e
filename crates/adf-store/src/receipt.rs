//! Receipts: each written by its instance, all read in one query.

use adf_types::{AppName, InstanceId, Receipt};

use crate::Store;
use crate::error::StoreError;
use crate::keys::{self, StateKey};
use crate::query::Range;

impl Store {
    pub async fn put_receipt(&self, receipt: &Receipt) -> Result<(), StoreError> {
        self.put(&StateKey::receipt(&receipt.app, &receipt.instance), receipt).await
    }

    /// The receipts of an app's instances, by instance id; also those of instances that are gone.
    pub async fn receipts(&self, app: &AppName) -> Result<Vec<Receipt>, StoreError> {
        let pk = keys::receipts(app);
        let items = self.query_state(&pk, Range::All).await?;
        self.decode_all(&pk, items)
    }

    /// Removes the receipt of an instance that is gone. Removing none is success.
    pub async fn delete_receipt(&self, app: &AppName, instance: &InstanceId) -> Result<(), StoreError> {
        let key = StateKey::receipt(app, instance);
        self.client
            .delete_item()
            .table_name(&self.tables.state)
            .set_key(Some(key.item()))
            .send()
            .await
            .map_err(|e| StoreError::from_sdk(self.on_state("delete", &key), e))?;
        Ok(())
    }
}
