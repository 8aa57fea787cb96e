//! The launch lifecycle hook of the instance's Auto Scaling group: kept alive while the boot goes on, then
//! completed once.
//!
//! The group and its hooks are asked from AWS, so that user data needs neither. An instance in no group, or
//! one whose role may not ask, has no hook; that is said once in the log. The rule: `complete` sends nothing
//! when the instance is not waiting, and a group that cannot be told never takes a healthy app down.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adf_types::InstanceId;
use tokio::task::JoinHandle;

use crate::failure::{Fault as _, Kind};
use crate::world::{ActionResult, Completion, LaunchHook, Lifecycle, LifecycleError, Membership};

/// How often the group is asked while the instance is not yet waiting; after failures 2, 4, 8 … 30 s.
const ASK_AGAIN: Duration = Duration::from_secs(2);
const ASK_AT_LEAST: Duration = Duration::from_secs(30);

/// How long completing may take in all (fault 44): throttling and `Pending` pass within minutes.
const COMPLETE_LIMIT: Duration = Duration::from_mins(5);

/// The heartbeat of a hook is recorded when this part of its timeout is over.
const HEARTBEATS_PER_TIMEOUT: u32 = 3;

#[derive(Debug)]
pub struct Hook {
    keeper: Mutex<Option<JoinHandle<()>>>,
    calls: Calls,
}

#[derive(Clone)]
struct Calls {
    lifecycle: Arc<dyn Lifecycle>,
    instance: InstanceId,
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Calls").field("instance", &self.instance).finish_non_exhaustive()
    }
}

/// Where the instance stands with its group.
enum Standing {
    NotInGroup,
    /// Launching, but not yet at the hook.
    NotYet,
    Waiting {
        group: String,
        hooks: Vec<LaunchHook>,
    },
    /// In service, or leaving.
    Past,
}

impl Hook {
    /// Starts recording heartbeats in the background.
    pub fn keep(lifecycle: Arc<dyn Lifecycle>, instance: InstanceId) -> Self {
        let calls = Calls { lifecycle, instance };
        let keeper = tokio::spawn(calls.clone().keep_alive());
        Self { keeper: Mutex::new(Some(keeper)), calls }
    }

    pub fn instance(&self) -> &InstanceId {
        &self.calls.instance
    }

    /// Ends the wait of the group with `result`, once: a second call does nothing. Returns when AWS has it, when
    /// there is nothing to complete, or after `wait`; then it goes on in the background for five minutes.
    pub async fn complete(&self, result: ActionResult, wait: Duration) {
        let keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(keeper) = keeper else { return };
        keeper.abort();
        let mut completing = tokio::spawn(self.calls.clone().complete_in_time(result));
        if tokio::time::timeout(wait, &mut completing).await.is_err() {
            tracing::warn!(
                ?result,
                "W184 the Auto Scaling group was not told within {} s; trying on",
                wait.as_secs()
            );
        }
    }
}

impl Calls {
    async fn standing(&self) -> Result<Standing, LifecycleError> {
        let Some(Membership { group, state }) = self.lifecycle.membership(&self.instance).await? else {
            return Ok(Standing::NotInGroup);
        };
        match state.as_str() {
            "Pending" | "Warmed:Pending" => Ok(Standing::NotYet),
            "Pending:Wait" | "Warmed:Pending:Wait" => {
                let hooks = self.lifecycle.launch_hooks(&group).await?;
                Ok(Standing::Waiting { group, hooks })
            }
            _ => Ok(Standing::Past),
        }
    }

    async fn complete_in_time(self, result: ActionResult) {
        if tokio::time::timeout(COMPLETE_LIMIT, self.complete(result)).await.is_err() {
            tracing::warn!(
                "W184 the lifecycle action was not completed within {} s",
                COMPLETE_LIMIT.as_secs()
            );
        }
    }

    async fn complete(&self, result: ActionResult) {
        let mut pause = ASK_AGAIN;
        loop {
            let standing = self.standing().await;
            match standing {
                Ok(Standing::NotInGroup) => {
                    return tracing::info!("this instance is in no Auto Scaling group");
                }
                Ok(Standing::Past) => return tracing::info!("the group is not waiting for this instance"),
                Ok(Standing::NotYet) => pause = ASK_AGAIN,
                Ok(Standing::Waiting { group, hooks }) => {
                    match self.complete_all(&group, &hooks, result).await {
                        Ok(()) => return,
                        Err(error) => tracing::warn!("W184 {error}; trying again"),
                    }
                }
                Err(error) if error.kind() == Kind::Permanent => {
                    return tracing::warn!(
                        "W184 {error}; a launch hook of this instance will run into its timeout"
                    );
                }
                Err(error) => tracing::warn!("W184 {error}; trying again"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(ASK_AT_LEAST);
        }
    }

    async fn complete_all(
        &self,
        group: &str,
        hooks: &[LaunchHook],
        result: ActionResult,
    ) -> Result<(), LifecycleError> {
        for hook in hooks {
            let completion = self.lifecycle.complete(group, &hook.name, &self.instance, result).await?;
            match completion {
                Completion::Completed => {
                    tracing::info!(group, hook = hook.name, ?result, "lifecycle action completed");
                }
                Completion::NoActiveAction => {
                    tracing::info!(group, hook = hook.name, "no active lifecycle action");
                }
            }
        }
        Ok(())
    }

    /// Heartbeats until it is aborted, or until it is known that there is nothing to keep alive.
    async fn keep_alive(self) {
        loop {
            let pause = match self.standing().await {
                Ok(Standing::NotInGroup | Standing::Past) => return,
                Ok(Standing::NotYet) => ASK_AGAIN,
                Ok(Standing::Waiting { group, hooks }) => {
                    let Some(pause) = hooks.iter().map(|h| h.heartbeat / HEARTBEATS_PER_TIMEOUT).min() else {
                        return;
                    };
                    tokio::time::sleep(pause).await;
                    self.beat(&group, &hooks).await;
                    Duration::ZERO
                }
                // Also after a refusal: a role's credentials may arrive after the instance.
                Err(_) => ASK_AT_LEAST,
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn beat(&self, group: &str, hooks: &[LaunchHook]) {
        for hook in hooks {
            match self.lifecycle.heartbeat(group, &hook.name, &self.instance).await {
                Ok(()) => tracing::debug!(hook = hook.name, "lifecycle heartbeat recorded"),
                Err(error) => tracing::warn!("W184 {error}"),
            }
        }
    }
}
