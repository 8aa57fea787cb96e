//! A lifecycle hook of the instance's Auto Scaling group: kept alive while the agent works, then completed once.
//!
//! Two transitions: launching, while the boot goes on, and terminating, while the app drains. The group and its
//! hooks are asked from AWS, so that user data needs neither. An instance in no group, or one whose role may not
//! ask, has no hook; that is said once in the log. The rule: `complete` sends nothing when the instance is not
//! waiting, and a group that cannot be told never takes a healthy app down.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use adf_types::InstanceId;
use tokio::task::JoinHandle;

use crate::failure::{Fault as _, Kind};
use crate::world::{
    ActionResult, Completion, Lifecycle, LifecycleError, LifecycleHook, Membership, Transition,
};

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
    transition: Transition,
}

impl std::fmt::Debug for Calls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Calls")
            .field("instance", &self.instance)
            .field("transition", &self.transition)
            .finish_non_exhaustive()
    }
}

/// Where the instance stands with its group.
enum Standing {
    NotInGroup,
    /// On its way, but not yet at the hook.
    NotYet,
    Waiting {
        group: String,
        hooks: Vec<LifecycleHook>,
    },
    /// Beyond the hook, or there is none.
    Past,
}

impl Hook {
    /// Starts recording heartbeats in the background.
    pub fn keep(lifecycle: Arc<dyn Lifecycle>, instance: InstanceId, transition: Transition) -> Self {
        let calls = Calls { lifecycle, instance, transition };
        let keeper = tokio::spawn(calls.clone().keep_alive());
        Self { keeper: Mutex::new(Some(keeper)), calls }
    }

    pub fn instance(&self) -> &InstanceId {
        &self.calls.instance
    }

    /// The same instance's other transition.
    #[must_use]
    pub fn of(&self, transition: Transition) -> Self {
        Self::keep(self.calls.lifecycle.clone(), self.calls.instance.clone(), transition)
    }

    /// After a completed action another one of the same kind is expected: an instance that leaves a warm pool
    /// passes its launch hook a second time.
    pub fn expect_another(&self) {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        keeper.get_or_insert_with(|| tokio::spawn(self.calls.clone().keep_alive()));
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

impl Drop for Hook {
    fn drop(&mut self) {
        if let Some(keeper) = self.keeper.lock().unwrap_or_else(PoisonError::into_inner).take() {
            keeper.abort();
        }
    }
}

impl Calls {
    async fn standing(&self) -> Result<Standing, LifecycleError> {
        let Some(Membership { group, state }) = self.lifecycle.membership(&self.instance).await? else {
            return Ok(Standing::NotInGroup);
        };
        match self.transition {
            Transition::Launching => self.launching(group, &state).await,
            Transition::Terminating => self.terminating(group, &state).await,
        }
    }

    async fn launching(&self, group: String, state: &str) -> Result<Standing, LifecycleError> {
        match state {
            "Pending" | "Warmed:Pending" => Ok(Standing::NotYet),
            "Pending:Wait" | "Warmed:Pending:Wait" => {
                let hooks = self.lifecycle.hooks(&group, self.transition).await?;
                Ok(Standing::Waiting { group, hooks })
            }
            _ => Ok(Standing::Past),
        }
    }

    /// Metadata says that the instance is to leave before the group's own description does: every earlier state is
    /// "not yet", and a group without such a hook waits for nobody.
    async fn terminating(&self, group: String, state: &str) -> Result<Standing, LifecycleError> {
        if matches!(state, "Terminating:Proceed" | "Warmed:Terminating:Proceed" | "Terminated") {
            return Ok(Standing::Past);
        }
        let hooks = self.lifecycle.hooks(&group, self.transition).await?;
        Ok(match state {
            _ if hooks.is_empty() => Standing::Past,
            "Terminating:Wait" | "Warmed:Terminating:Wait" => Standing::Waiting { group, hooks },
            _ => Standing::NotYet,
        })
    }

    async fn complete_in_time(self, result: ActionResult) {
        if tokio::time::timeout(COMPLETE_LIMIT, self.complete(result)).await.is_err() {
            tracing::warn!(
                "W184 the lifecycle action was not completed within {} s; the hook will run into its timeout",
                COMPLETE_LIMIT.as_secs()
            );
        }
    }

    async fn complete(&self, result: ActionResult) {
        let mut pause = ASK_AGAIN;
        let mut done = BTreeSet::new();
        loop {
            match self.standing().await {
                Ok(Standing::NotInGroup) => {
                    return tracing::info!("this instance is in no Auto Scaling group");
                }
                Ok(Standing::Past) if done.is_empty() => {
                    return tracing::info!("the group is not waiting for this instance");
                }
                Ok(Standing::Past) => return,
                Ok(Standing::NotYet) => pause = ASK_AGAIN,
                Ok(Standing::Waiting { group, hooks }) => {
                    match self.complete_all(&group, &hooks, result, &mut done).await {
                        Ok(()) if done.len() >= hooks.len() => return,
                        // Another hook's turn comes when the one before it is completed.
                        Ok(()) => pause = ASK_AGAIN,
                        Err(error) if given_up(&error) => return,
                        Err(_) => {}
                    }
                }
                Err(error) if given_up(&error) => return,
                Err(_) => {}
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(ASK_AT_LEAST);
        }
    }

    /// Each hook once. One that has no active action now may have one after another hook is done; when it is the only
    /// one, somebody else completed it or it timed out.
    async fn complete_all(
        &self,
        group: &str,
        hooks: &[LifecycleHook],
        result: ActionResult,
        done: &mut BTreeSet<String>,
    ) -> Result<(), LifecycleError> {
        for hook in hooks {
            if done.contains(&hook.name) {
                continue;
            }
            match self.lifecycle.complete(group, &hook.name, &self.instance, result).await? {
                Completion::Completed => {
                    tracing::info!(group, hook = hook.name, ?result, "lifecycle action completed");
                    done.insert(hook.name.clone());
                }
                Completion::NoActiveAction => {
                    tracing::info!(group, hook = hook.name, "no active lifecycle action");
                    if hooks.len() == 1 {
                        done.insert(hook.name.clone());
                    }
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

    async fn beat(&self, group: &str, hooks: &[LifecycleHook]) {
        for hook in hooks {
            match self.lifecycle.heartbeat(group, &hook.name, &self.instance).await {
                Ok(()) => tracing::debug!(hook = hook.name, "lifecycle heartbeat recorded"),
                Err(error) => tracing::warn!("W184 {error}"),
            }
        }
    }
}

/// Says what failed, and whether asking again is of no use: a missing right stays missing.
fn given_up(error: &LifecycleError) -> bool {
    let permanent = error.kind() == Kind::Permanent;
    let then = if permanent {
        "a lifecycle hook of this instance will run into its timeout"
    } else {
        "trying again"
    };
    tracing::warn!("W184 {error}; {then}");
    permanent
}
