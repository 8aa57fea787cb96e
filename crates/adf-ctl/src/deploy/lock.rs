//! Taking an app's lock: refused while somebody is seen at work, taken over when nobody was for a lease.

use std::time::Duration;

use adf_store::{LEASE, Lock, StoreError};
use adf_types::{AppName, DeployRecord};
use tokio::time::{Instant, sleep};

use super::error::DeployError;
use super::view::View;
use crate::context::Context;

/// Between two looks at a lock that may be abandoned.
const LOOK: Duration = Duration::from_secs(1);

/// Takes the lock to go on with `open`, or to begin a deploy when none is open.
///
/// Refuses as soon as a held lock is seen to beat, which is at most one beat away; takes over one that
/// stands still for [`LEASE`]. A deploy of another release is the caller's to refuse, at once.
pub(super) async fn take(
    context: &Context,
    app: &AppName,
    owner: &str,
    open: Option<&DeployRecord>,
    view: &mut View,
) -> Result<Lock, DeployError> {
    let seen = match context.store.take_lock(app, owner, None).await {
        Err(StoreError::LockHeld { held, .. }) => held,
        taken => return Ok(taken?),
    };
    view.note(&format!("{app} is locked by {}; looking whether it is still at work", seen.owner));
    let since = Instant::now();
    let over = loop {
        sleep(LOOK).await;
        match context.store.lock(app).await? {
            Some(now) if now != seen => return Err(DeployError::held(app, &now, open)),
            Some(_) if since.elapsed() < LEASE => {}
            over => break over,
        }
    };
    match context.store.take_lock(app, owner, over.as_ref()).await {
        // Somebody was faster.
        Err(StoreError::LockHeld { held, .. }) => Err(DeployError::held(app, &held, open)),
        taken => Ok(taken?),
    }
}
