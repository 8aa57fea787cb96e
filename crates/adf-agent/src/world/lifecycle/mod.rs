//! The instance's Auto Scaling group, in our words; `auto_scaling.rs` asks the real one.

mod auto_scaling;

use std::time::Duration;

use adf_types::InstanceId;
use async_trait::async_trait;

pub(in crate::world) use auto_scaling::AutoScaling;

use crate::failure::{Fault, Kind};

/// The Auto Scaling group of the instance, where it has one.
#[async_trait]
pub trait Lifecycle: Send + Sync {
    /// `DescribeAutoScalingInstances`; nothing for an instance outside any group.
    async fn membership(&self, instance: &InstanceId) -> Result<Option<Membership>, LifecycleError>;
    /// `DescribeLifecycleHooks`: the hooks of a group that hold this transition.
    async fn hooks(&self, group: &str, transition: Transition) -> Result<Vec<LifecycleHook>, LifecycleError>;
    /// `CompleteLifecycleAction`
    async fn complete(
        &self,
        group: &str,
        hook: &str,
        instance: &InstanceId,
        result: ActionResult,
    ) -> Result<Completion, LifecycleError>;
    /// `RecordLifecycleActionHeartbeat`
    async fn heartbeat(&self, group: &str, hook: &str, instance: &InstanceId) -> Result<(), LifecycleError>;
    /// `SetInstanceHealth` to `Unhealthy`: the group replaces the instance.
    async fn set_unhealthy(&self, instance: &InstanceId) -> Result<(), LifecycleError>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub group: String,
    /// AWS's own word, such as `Pending:Wait` or `InService`; new words appear, so it stays a string.
    pub state: String,
}

/// What a lifecycle hook holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    Launching,
    Terminating,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecycleHook {
    pub name: String,
    pub heartbeat: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionResult {
    Continue,
    Abandon,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    Completed,
    /// `No active Lifecycle Action found`: it was completed before, or it timed out.
    NoActiveAction,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LifecycleError {
    #[error("the role of this instance may not call {operation}: {problem}")]
    Denied { operation: &'static str, problem: String },
    #[error("{operation} failed: {problem}")]
    Failed { operation: &'static str, problem: String },
}

impl Fault for LifecycleError {
    fn kind(&self) -> Kind {
        match self {
            Self::Denied { .. } => Kind::Permanent,
            Self::Failed { .. } => Kind::Transient,
        }
    }
}
