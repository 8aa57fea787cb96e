//! Looking at an app without changing anything: `status` tells, `verify` proves, `lock` shows who deploys (and breaks
//! the lock of somebody who is gone, the one thing here that changes something).
//!
//! Both join what three sources say about an instance: the group, the load balancer, and the instance's own
//! receipt. A receipt's texts were written by the instance and are made safe before they are shown.

mod fleet;
mod history;
mod lock;
mod logs;
mod status;
mod verify;
mod watch;

pub use fleet::{Row, rows};
pub use history::{History, Late, OneDeploy, PastDeploy, history, late, one_deploy};
pub use lock::{Broken, Holder, LockReport, break_lock, lock, lock_now};
pub use logs::{Console, Log, Logs, logs};
pub use status::{Status, status};
pub use verify::{Proof, verify};
pub use watch::{LOOK, watch};

use adf_types::AppName;

use crate::context::Context;
use crate::error::CtlError;

/// Whether the app has a release or config; a name that has neither is probably misspelt.
async fn is_known(context: &Context, app: &AppName) -> Result<bool, CtlError> {
    let store = &context.store;
    Ok(!store.releases(app).await?.is_empty() || !store.read_layer(app, None).await?.is_empty())
}
