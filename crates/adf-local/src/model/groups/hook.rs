//! Lifecycle hooks: what they hold and what happens when nobody answers.

use std::time::Duration;

use crate::model::{ApiError, Model};

/// Seconds, when a hook does not say: an hour.
const DEFAULT_HEARTBEAT: Duration = Duration::from_hours(1);

/// Which transition a hook holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    Launching,
    Terminating,
}

impl Transition {
    /// AWS's name, `autoscaling:EC2_INSTANCE_LAUNCHING`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Launching => "autoscaling:EC2_INSTANCE_LAUNCHING",
            Self::Terminating => "autoscaling:EC2_INSTANCE_TERMINATING",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Launching, Self::Terminating].into_iter().find(|transition| transition.name() == name)
    }
}

/// What a lifecycle action ends with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookResult {
    Continue,
    Abandon,
}

impl HookResult {
    /// AWS's name, `CONTINUE`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Continue => "CONTINUE",
            Self::Abandon => "ABANDON",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Continue, Self::Abandon].into_iter().find(|result| result.name() == name)
    }
}

/// A lifecycle hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LifecycleHook {
    pub name: String,
    pub transition: Transition,
    /// 30 to 7,200 seconds, default 3,600.
    pub heartbeat: Duration,
    /// Applies at the deadline; AWS's default is ABANDON.
    pub default_result: HookResult,
    pub metadata: Option<String>,
    pub role_arn: Option<String>,
    pub notification_target: Option<String>,
}

impl LifecycleHook {
    /// However many heartbeats: min(48 h, 100 heartbeats).
    pub fn global_timeout(&self) -> Duration {
        Duration::from_hours(48).min(self.heartbeat * 100)
    }
}

/// Parameters of `PutLifecycleHook`; absent ones keep what the hook has.
#[derive(Clone, Debug, Default)]
pub struct HookRequest {
    pub name: String,
    pub transition: Option<String>,
    /// Seconds.
    pub heartbeat: Option<i32>,
    pub default_result: Option<String>,
    pub metadata: Option<String>,
    pub role_arn: Option<String>,
    pub notification_target: Option<String>,
}

impl HookRequest {
    /// The hook this makes of `existing`, or of nothing.
    pub(super) fn over(self, existing: Option<&LifecycleHook>) -> Result<LifecycleHook, ApiError> {
        let transition = match &self.transition {
            Some(name) => Transition::parse(name),
            None => existing.map(|hook| hook.transition),
        };
        let transition = transition.ok_or_else(|| {
            ApiError::validation("A lifecycle hook requires a valid LifecycleTransition: autoscaling:EC2_INSTANCE_LAUNCHING or autoscaling:EC2_INSTANCE_TERMINATING")
        })?;
        let default_result = match &self.default_result {
            Some(name) => HookResult::parse(name).ok_or_else(|| {
                ApiError::validation(format!(
                    "Invalid DefaultResult: {name}. Valid values are CONTINUE and ABANDON"
                ))
            })?,
            None => existing.map_or(HookResult::Abandon, |hook| hook.default_result),
        };
        let heartbeat = match self.heartbeat {
            Some(seconds) => heartbeat(seconds)?,
            None => existing.map_or(DEFAULT_HEARTBEAT, |hook| hook.heartbeat),
        };
        Ok(LifecycleHook {
            name: self.name,
            transition,
            heartbeat,
            default_result,
            metadata: self.metadata.or_else(|| existing?.metadata.clone()),
            role_arn: self.role_arn.or_else(|| existing?.role_arn.clone()),
            notification_target: self.notification_target.or_else(|| existing?.notification_target.clone()),
        })
    }
}

fn heartbeat(seconds: i32) -> Result<Duration, ApiError> {
    match u64::try_from(seconds) {
        Ok(seconds @ 30..=7200) => Ok(Duration::from_secs(seconds)),
        _ => Err(ApiError::validation(format!(
            "Invalid HeartbeatTimeout: {seconds}. It must be between 30 and 7200 seconds"
        ))),
    }
}

impl Model {
    /// Adds or changes a hook. Actions that wait already keep what they were started with.
    pub fn put_lifecycle_hook(&mut self, group: &str, request: HookRequest) -> Result<(), ApiError> {
        let existing = self.existing_group(group)?.hooks.get(&request.name);
        let hook = request.over(existing)?;
        self.group_mut(group)?.hooks.insert(hook.name.clone(), hook);
        Ok(())
    }

    /// The names of the hooks that hold a transition of the member's group, in order of name (AWS's order is undocumented).
    pub(super) fn hook_names(&self, instance: &str, transition: Transition) -> Vec<String> {
        let group = self.member(instance).and_then(|member| self.groups.get(&member.group));
        let hooks = group.into_iter().flat_map(|group| group.hooks.values());
        hooks.filter(|hook| hook.transition == transition).map(|hook| hook.name.clone()).collect()
    }
}
