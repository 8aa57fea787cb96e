//! A lifecycle action: started, kept alive, answered or timed out, exactly once.

use jiff::Timestamp;

use super::journal::cause;
use super::terminate::Hooks;
use super::{ActivityStatus, HookResult, LifecycleAction, LifecycleState};
use crate::model::agenda::Event;
use crate::model::{ApiError, Model};

/// How a caller names an action: by its token, or by the instance (with the hook's name).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionKey {
    Instance(String),
    Token(String),
}

impl Model {
    /// Answers an action. Late, early and repeated answers are refused.
    pub fn complete_lifecycle_action(
        &mut self,
        group: &str,
        hook: &str,
        key: &ActionKey,
        result: HookResult,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let instance = self.find_action(group, hook, key)?;
        self.finish_action(&instance, result, "was completed with", now);
        Ok(())
    }

    /// Restarts an action's timer, never beyond its global limit.
    pub fn record_lifecycle_heartbeat(
        &mut self,
        group: &str,
        hook: &str,
        key: &ActionKey,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let instance = self.find_action(group, hook, key)?;
        let heartbeat = self.groups[group].hooks.get(hook).map(|hook| hook.heartbeat).unwrap_or_default();
        let Some(action) = self.member_mut(&instance).and_then(|member| member.action.as_mut()) else {
            return Ok(());
        };
        action.deadline = (now + heartbeat).min(action.limit);
        let (deadline, token) = (action.deadline, action.token.clone());
        self.agenda.at(deadline, Event::HookDeadline { instance, token });
        Ok(())
    }

    /// Removes a hook; actions of it that wait are completed, launching ones abandoned.
    pub fn delete_lifecycle_hook(&mut self, group: &str, hook: &str, now: Timestamp) -> Result<(), ApiError> {
        if self.group_mut(group)?.hooks.remove(hook).is_none() {
            return Err(ApiError::validation(format!("No Lifecycle Hook found with name: {hook}")));
        }
        let waiting: Vec<(String, LifecycleState)> = self
            .members(group)
            .filter(|(_, member)| member.action.as_ref().is_some_and(|action| action.hook == hook))
            .map(|(instance, member)| (instance.id.clone(), member.state))
            .collect();
        for (instance, state) in waiting {
            let result = match state {
                LifecycleState::PendingWait => HookResult::Abandon,
                _ => HookResult::Continue,
            };
            self.finish_action(&instance, result, "was removed with its hook, as", now);
        }
        Ok(())
    }

    /// The deadline an event was made for may have been moved by a heartbeat, or the action answered.
    pub(in crate::model) fn hook_deadline(&mut self, instance: &str, token: &str, now: Timestamp) {
        let due = self.member(instance).and_then(|member| member.action.as_ref());
        let Some(action) = due.filter(|action| action.token == token && action.deadline <= now) else {
            return;
        };
        let hook =
            self.member(instance).and_then(|member| self.groups.get(&member.group)?.hooks.get(&action.hook));
        let result = hook.map_or(HookResult::Abandon, |hook| hook.default_result);
        self.finish_action(instance, result, "timed out, which means", now);
    }

    pub(super) fn action_waits(&self, instance: &str) -> bool {
        self.member(instance).is_some_and(|member| member.action.is_some())
    }

    /// Starts the member's next hook and puts it into `waiting`; false when none is left.
    pub(super) fn start_next_hook(&mut self, id: &str, waiting: LifecycleState, now: Timestamp) -> bool {
        let token = self.ids.uuid();
        let Some(member) = self.member(id) else { return false };
        let hooks = self.groups.get(&member.group).map(|group| &group.hooks);
        // A hook deleted meanwhile no longer holds anybody.
        let alive = |name: &String| hooks.is_some_and(|hooks| hooks.contains_key(name));
        let left: Vec<String> = member.hooks_left.iter().filter(|name| alive(name)).cloned().collect();
        let Some(hook) = left.first().and_then(|name| hooks?.get(name)) else { return false };
        let action = LifecycleAction {
            hook: hook.name.clone(),
            token: token.clone(),
            deadline: now + hook.heartbeat,
            limit: now + hook.global_timeout(),
        };
        let deadline = action.deadline;
        if let Some(member) = self.member_mut(id) {
            member.hooks_left = left[1..].to_vec();
            member.action = Some(action);
            member.state = waiting;
        }
        self.note(id, ActivityStatus::MidLifecycleAction);
        self.agenda.at(deadline, Event::HookDeadline { instance: id.to_owned(), token });
        true
    }

    fn finish_action(&mut self, id: &str, result: HookResult, how: &str, now: Timestamp) {
        let Some(member) = self.member_mut(id) else { return };
        let Some(action) = member.action.take() else { return };
        if result == HookResult::Abandon {
            member.hooks_left.clear();
            if member.state == LifecycleState::PendingWait {
                let group = member.group.clone();
                let result = result.name();
                let why = format!(
                    "instance {id} was taken out of service because lifecycle action of hook {} {how} {result}",
                    action.hook
                );
                return self.abandon_launch(id, &group, &cause(now, &why), now);
            }
        }
        self.agenda.at(now, Event::Advance { instance: id.to_owned() });
    }

    /// Terminated and, by the next reconciliation, replaced.
    fn abandon_launch(&mut self, id: &str, group: &str, why: &str, now: Timestamp) {
        let text =
            "Instance failed to complete user's Lifecycle Action: Lifecycle Action was abandoned".to_owned();
        self.end(id, ActivityStatus::Cancelled, Some(text), now);
        let hooks = if self.settings.abandoned_launch_runs_hooks { Hooks::Run } else { Hooks::Skip };
        self.begin_terminating(id, why, hooks, now);
        self.reconcile_soon(group, now);
    }

    /// The instance whose waiting action the caller means.
    fn find_action(&self, group: &str, hook: &str, key: &ActionKey) -> Result<String, ApiError> {
        self.existing_group(group)?;
        let waits = |action: &LifecycleAction, instance: &str| {
            action.hook == hook
                && match key {
                    ActionKey::Instance(id) => instance == id,
                    ActionKey::Token(token) => action.token == *token,
                }
        };
        let found = self.members(group).find(|(instance, member)| {
            member.action.as_ref().is_some_and(|action| waits(action, &instance.id))
        });
        found.map(|(instance, _)| instance.id.clone()).ok_or_else(|| {
            let named = match key {
                ActionKey::Instance(id) => format!("instance ID {id}"),
                ActionKey::Token(token) => format!("token {token}"),
            };
            ApiError::validation(format!("No active Lifecycle Action found with {named}"))
        })
    }
}
