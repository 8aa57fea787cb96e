//! Deploy records, requests to whoever drives one, and which release is current.
//!
//! The rule: a deploy's record and the current release are written only together with the fence check,
//! in one transaction.

use adf_types::{AppName, DeployId, DeployRecord, OperatorRequest, ReleaseName};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use serde::{Deserialize, Serialize};

use crate::Store;
use crate::error::{Operation, StoreError};
use crate::keys::{DEPLOY, Item, StateKey, text};
use crate::lock::Lock;
use crate::query::Range;

/// What an app runs, and what it ran before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentRelease {
    pub current: ReleaseName,
    pub previous: Option<ReleaseName>,
}

impl Store {
    pub async fn current(&self, app: &AppName) -> Result<Option<CurrentRelease>, StoreError> {
        self.get(&StateKey::current(app)).await
    }

    pub async fn set_current(&self, lock: &Lock, current: &CurrentRelease) -> Result<(), StoreError> {
        let key = StateKey::current(lock.app());
        let item = self.encode(&key, current)?;
        self.write_fenced(lock, None, self.on_state("write", &key), item).await
    }

    pub async fn deploy(&self, app: &AppName, id: &DeployId) -> Result<Option<DeployRecord>, StoreError> {
        self.get(&StateKey::deploy(app, id)).await
    }

    /// The last `limit` deploys, newest first.
    pub async fn deploys(&self, app: &AppName, limit: usize) -> Result<Vec<DeployRecord>, StoreError> {
        let items = self.query_state(app.as_str(), Range::Last(DEPLOY, limit)).await?;
        self.decode_all(app.as_str(), items)
    }

    /// The deploy that has begun and not ended. Only the newest can be open: the lock sees to that.
    pub async fn open_deploy(&self, app: &AppName) -> Result<Option<DeployRecord>, StoreError> {
        Ok(self.deploys(app, 1).await?.into_iter().find(DeployRecord::is_open))
    }

    pub async fn save_deploy(&self, lock: &Lock, record: &DeployRecord) -> Result<(), StoreError> {
        let key = StateKey::deploy(&record.app, &record.id);
        let item = self.encode(&key, record)?;
        self.write_fenced(lock, Some(&record.id), self.on_state("write", &key), item).await
    }

    /// Asks the process that drives a deploy for something; a later request replaces an earlier one. Answers
    /// whether it was left: nothing replaces a rollback but another.
    pub async fn request(
        &self,
        app: &AppName,
        id: &DeployId,
        request: &OperatorRequest,
    ) -> Result<bool, StoreError> {
        let key = StateKey::request(app, id);
        let put =
            self.client.put_item().table_name(&self.tables.state).set_item(Some(self.encode(&key, request)?));
        let put = match request {
            OperatorRequest::Rollback { .. } => put,
            _ => put
                .condition_expression("attribute_not_exists(#request) OR #request <> :rollback")
                .expression_attribute_names("#request", "request")
                .expression_attribute_values(":rollback", text("rollback")),
        };
        match put.send().await {
            Ok(_) => Ok(true),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::from_sdk(self.on_state("write", &key), error)),
        }
    }

    pub async fn requested(
        &self,
        app: &AppName,
        id: &DeployId,
    ) -> Result<Option<OperatorRequest>, StoreError> {
        self.get(&StateKey::request(app, id)).await
    }

    async fn write_fenced(
        &self,
        lock: &Lock,
        deploy: Option<&DeployId>,
        operation: Operation,
        item: Item,
    ) -> Result<(), StoreError> {
        let put = Put::builder()
            .table_name(&self.tables.state)
            .set_item(Some(item))
            .build()
            .expect("table and item are given");
        let writes = vec![
            TransactWriteItem::builder().update(lock.fence_check(&self.tables.state, deploy)).build(),
            TransactWriteItem::builder().put(put).build(),
        ];
        let sent = self.client.transact_write_items().set_transact_items(Some(writes)).send().await;
        sent.map(|_| ()).map_err(|error| {
            let cancelled = error.as_service_error().is_some_and(aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError::is_transaction_canceled_exception);
            if cancelled && fence_failed(&error) {
                StoreError::LockLost { app: lock.app().clone() }
            } else {
                StoreError::from_sdk(operation, error)
            }
        })
    }
}

type TransactError = aws_sdk_dynamodb::error::SdkError<
    aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError,
>;

/// Cancellation reasons come in the order of the writes; the fence check is the first.
fn fence_failed(error: &TransactError) -> bool {
    use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError as E;
    let Some(E::TransactionCanceledException(cancelled)) = error.as_service_error() else { return false };
    cancelled.cancellation_reasons().first().and_then(|r| r.code()) == Some("ConditionalCheckFailed")
}
