//! The deploy lock of an app: one operator at a time, and no clock that two machines would have to share.
//!
//! The holder raises `Beat`; another operator who sees the same fence and beat for a whole [`LEASE`] on
//! its own monotonic clock may take over, which raises `Fence`. Every write of a deploy carries the fence,
//! so a holder that slept finds out at its next write and has done no harm.

use std::time::Duration;

use adf_types::{AppName, DeployId};
use aws_sdk_dynamodb::types::{ReturnValue, Update};
use jiff::Timestamp;
use uuid::Uuid;

use crate::Store;
use crate::error::StoreError;
use crate::keys::{Item, StateKey, number, text};
use crate::query::{string, unsigned};

/// How long a lock must be seen without a beat before it may be taken over. Three missed beats: one may be
/// lost to throttling, two to a network change; a laptop that sleeps is found out within half a minute.
pub const LEASE: Duration = Duration::from_secs(30);

/// How often the holder beats.
pub const BEAT: Duration = Duration::from_secs(10);

/// A lock as anybody sees it. Two equal views a lease apart mean that the holder is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockView {
    pub owner: String,
    /// The deploy that was last written under this lock.
    pub deploy: Option<DeployId>,
    pub fence: u64,
    pub beat: u64,
    /// When it was taken, by the holder's clock; to be shown, not to be computed with.
    pub taken_at: Timestamp,
}

/// A lock that is ours. Made by [`Store::take_lock`] only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    app: AppName,
    fence: u64,
    token: String,
}

impl Lock {
    pub fn app(&self) -> &AppName {
        &self.app
    }

    pub fn fence(&self) -> u64 {
        self.fence
    }

    /// The first half of every fenced transaction: fails unless the lock is still ours.
    pub(crate) fn fence_check(&self, table: &str, deploy: Option<&DeployId>) -> Update {
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(StateKey::lock(&self.app).item()))
            .condition_expression("Fence = :fence AND #token = :token")
            .expression_attribute_names("#token", "Token")
            .expression_attribute_values(":fence", number(self.fence))
            .expression_attribute_values(":token", text(&self.token));
        let update = match deploy {
            Some(id) => update
                .update_expression("SET Deploy = :deploy")
                .expression_attribute_values(":deploy", text(id.as_str())),
            None => update.update_expression("SET Fence = :fence"),
        };
        update.build().expect("table, key and expression are given")
    }
}

impl Store {
    /// The lock, if somebody holds it.
    pub async fn lock(&self, app: &AppName) -> Result<Option<LockView>, StoreError> {
        Ok(self.get_item(&StateKey::lock(app)).await?.as_ref().and_then(view))
    }

    /// Takes a free lock, or, with `over`, the lock that was seen in exactly that state for a whole
    /// [`LEASE`]. Fails at once with [`StoreError::LockHeld`].
    pub async fn take_lock(
        &self,
        app: &AppName,
        owner: &str,
        over: Option<&LockView>,
    ) -> Result<Lock, StoreError> {
        let key = StateKey::lock(app);
        let token = Uuid::new_v4().to_string();
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.state)
            .set_key(Some(key.item()))
            .update_expression(
                // The deploy of a holder who is gone says nothing of ours.
                "SET #owner = :owner, #token = :token, Beat = :zero, TakenAt = :now REMOVE Deploy ADD Fence :one",
            )
            .expression_attribute_names("#owner", "Owner")
            .expression_attribute_names("#token", "Token")
            .expression_attribute_values(":owner", text(owner))
            .expression_attribute_values(":token", text(&token))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":now", text(Timestamp::now().to_string()))
            .return_values(ReturnValue::AllNew);
        let update = match over {
            None => update.condition_expression("attribute_not_exists(#owner)"),
            Some(seen) => update
                .condition_expression("attribute_not_exists(#owner) OR (Fence = :fence AND Beat = :beat)")
                .expression_attribute_values(":fence", number(seen.fence))
                .expression_attribute_values(":beat", number(seen.beat)),
        };
        let error = match update.send().await {
            Ok(answer) => return Ok(taken(app, token, &answer.attributes.unwrap_or_default())),
            Err(error) => error,
        };
        if is_refused(&error) {
            return self.taken_or_held(app, token).await;
        }
        Err(StoreError::from_sdk(self.on_state("take", &key), error))
    }

    /// Shows that the holder lives.
    pub async fn beat(&self, lock: &Lock) -> Result<(), StoreError> {
        let key = StateKey::lock(&lock.app);
        self.update_own(lock, "ADD Beat :one", Some((":one", number(1))))
            .await
            .map_err(|error| self.lost_or(lock, &key, "beat", error))
    }

    /// Gives the lock back. A lock that was lost meanwhile is not ours to give: that is success.
    pub async fn free_lock(&self, lock: Lock) -> Result<(), StoreError> {
        let key = StateKey::lock(&lock.app);
        let freed = self.update_own(&lock, "REMOVE #owner, #token, Deploy", None).await;
        match freed.map_err(|error| self.lost_or(&lock, &key, "free", error)) {
            Err(StoreError::LockLost { .. }) => Ok(()),
            other => other,
        }
    }

    /// Frees the lock that was seen in exactly this state, whoever holds it. The fence is raised, so whatever its
    /// holder still tries to write fails with [`StoreError::LockLost`]. A lock that is free already is success; one that
    /// has moved since is [`StoreError::LockHeld`].
    pub async fn break_lock(&self, app: &AppName, seen: &LockView) -> Result<(), StoreError> {
        let key = StateKey::lock(app);
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.state)
            .set_key(Some(key.item()))
            .update_expression("REMOVE #owner, #token, Deploy ADD Fence :one")
            .condition_expression("attribute_exists(#owner) AND Fence = :fence AND Beat = :beat")
            .expression_attribute_names("#owner", "Owner")
            .expression_attribute_names("#token", "Token")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":fence", number(seen.fence))
            .expression_attribute_values(":beat", number(seen.beat));
        let Err(error) = update.send().await else { return Ok(()) };
        if !is_refused(&error) {
            return Err(StoreError::from_sdk(self.on_state("break", &key), error));
        }
        // The SDK may have repeated a call whose first answer was lost.
        match self.lock(app).await? {
            None => Ok(()),
            Some(held) => Err(StoreError::LockHeld { app: app.clone(), held }),
        }
    }

    async fn update_own(
        &self,
        lock: &Lock,
        expression: &str,
        value: Option<(&str, aws_sdk_dynamodb::types::AttributeValue)>,
    ) -> Result<(), UpdateError> {
        let update = self
            .client
            .update_item()
            .table_name(&self.tables.state)
            .set_key(Some(StateKey::lock(&lock.app).item()))
            .update_expression(expression)
            .condition_expression("Fence = :fence AND #token = :token")
            .expression_attribute_names("#token", "Token")
            .expression_attribute_values(":fence", number(lock.fence))
            .expression_attribute_values(":token", text(&lock.token));
        let update = if expression.contains("#owner") {
            update.expression_attribute_names("#owner", "Owner")
        } else {
            update
        };
        let update = match value {
            Some((name, value)) => update.expression_attribute_values(name, value),
            None => update,
        };
        update.send().await.map(|_| ())
    }

    fn lost_or(&self, lock: &Lock, key: &StateKey, verb: &'static str, error: UpdateError) -> StoreError {
        if is_refused(&error) {
            StoreError::LockLost { app: lock.app.clone() }
        } else {
            StoreError::from_sdk(self.on_state(verb, key), error)
        }
    }

    /// After a refusal: the SDK may have repeated a call whose first answer was lost, then the lock is ours.
    async fn taken_or_held(&self, app: &AppName, token: String) -> Result<Lock, StoreError> {
        let item = self.get_item(&StateKey::lock(app)).await?.unwrap_or_default();
        if string(&item, "Token").as_deref() == Some(&token) {
            return Ok(taken(app, token, &item));
        }
        let held = view(&item).unwrap_or_else(|| LockView {
            owner: "an operator who freed it just now".to_owned(),
            deploy: None,
            fence: unsigned(&item, "Fence").unwrap_or_default(),
            beat: 0,
            taken_at: Timestamp::now(),
        });
        Err(StoreError::LockHeld { app: app.clone(), held })
    }
}

fn taken(app: &AppName, token: String, item: &Item) -> Lock {
    Lock { app: app.clone(), fence: unsigned(item, "Fence").unwrap_or_default(), token }
}

type UpdateError =
    aws_sdk_dynamodb::error::SdkError<aws_sdk_dynamodb::operation::update_item::UpdateItemError>;

/// Whether the condition of a write did not hold.
fn is_refused(error: &UpdateError) -> bool {
    use aws_sdk_dynamodb::operation::update_item::UpdateItemError as E;
    error.as_service_error().is_some_and(E::is_conditional_check_failed_exception)
}

pub(crate) fn view(item: &Item) -> Option<LockView> {
    Some(LockView {
        owner: string(item, "Owner")?,
        deploy: string(item, "Deploy").and_then(|id| id.parse().ok()),
        fence: unsigned(item, "Fence")?,
        beat: unsigned(item, "Beat").unwrap_or_default(),
        taken_at: string(item, "TakenAt").and_then(|t| t.parse().ok()).unwrap_or_default(),
    })
}
