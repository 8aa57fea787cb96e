//! Auto Scaling groups.
//!
//! Neighbours: `ec2` launches and terminates the machines, `targets` registers and drains them. A member's whole state is
//! its [`Membership`], kept in the instance, so that an instance is never in two places.
//!
//! Glossary: a *member* is an instance with a membership; it *counts* when desired capacity includes it (not Standby,
//! not leaving); *reconcile* compares the counting members with desired; *advance* makes a member's next move.

mod activity;
mod advance;
mod attach;
mod capacity;
mod create;
mod delete;
mod group;
mod health;
mod hook;
mod journal;
mod launch;
mod lifecycle_action;
mod load_balancing;
mod member;
mod mixed;
mod process;
mod protect;
mod rebalance;
mod reconcile;
pub mod refresh;
mod standby;
mod suspend;
mod tags;
mod terminate;
mod update;
mod victim;

pub use activity::{Activity, ActivityStatus};
pub use create::{GroupSpec, NewGroup};
pub use group::{Attachment, Group, GroupTag};
pub use hook::{HookRequest, HookResult, LifecycleHook, Transition};
pub use lifecycle_action::ActionKey;
pub use member::{Entry, LifecycleAction, LifecycleState, Membership};
pub use mixed::{Distribution, LaunchConfiguration, MixedInstances, TypeOverride};
pub use process::Process;
pub use refresh::{InstanceRefresh, RefreshPreferences, RefreshRequest, RefreshStatus, Rollback, Strays};

use jiff::Timestamp;

use super::agenda::Event;
use super::{ApiError, Instance, Model};

impl Model {
    /// The group, or Auto Scaling's refusal.
    pub fn existing_group(&self, name: &str) -> Result<&Group, ApiError> {
        self.groups.get(name).ok_or_else(|| no_such_group(name))
    }

    /// A group's members, by instance id.
    pub fn members<'a>(&'a self, group: &'a str) -> impl Iterator<Item = (&'a Instance, &'a Membership)> {
        self.instances
            .values()
            .filter_map(|instance| Some((instance, instance.membership.as_ref()?)))
            .filter(move |(_, member)| member.group == group)
    }

    /// How many members desired capacity includes.
    pub fn counting(&self, group: &str) -> u32 {
        let count = self.members(group).filter(|(_, member)| member.state.counts()).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn group_mut(&mut self, name: &str) -> Result<&mut Group, ApiError> {
        self.groups.get_mut(name).ok_or_else(|| no_such_group(name))
    }

    fn member(&self, instance: &str) -> Option<&Membership> {
        self.instances.get(instance)?.membership.as_ref()
    }

    fn member_mut(&mut self, instance: &str) -> Option<&mut Membership> {
        self.instances.get_mut(instance)?.membership.as_mut()
    }

    /// The membership of an instance in this very group.
    fn member_of(&self, group: &str, instance: &str) -> Result<&Membership, ApiError> {
        self.member(instance).filter(|member| member.group == group).ok_or_else(|| {
            ApiError::validation(format!(
                "The instance {instance} is not part of Auto Scaling group {group}."
            ))
        })
    }

    fn has_process(&self, group: &str, process: Process) -> bool {
        self.groups.get(group).is_some_and(|group| !group.suspended.contains(&process))
    }

    fn advance_soon(&mut self, instance: &str, now: Timestamp) {
        let when = now + self.reaction();
        self.agenda.at(when, Event::Advance { instance: instance.to_owned() });
    }

    fn reconcile_soon(&mut self, group: &str, now: Timestamp) {
        let when = now + self.reaction();
        self.agenda.at(when, Event::Reconcile { group: group.to_owned() });
    }
}

fn no_such_group(name: &str) -> ApiError {
    ApiError::validation(format!("AutoScalingGroup name not found - AutoScalingGroup {name} not found"))
}

/// At most this many ids in Standby, attach and detach calls.
const IDS_A_CALL: usize = 20;

fn check_id_count(ids: &[String], most: usize) -> Result<(), ApiError> {
    if ids.len() > most {
        return Err(ApiError::validation(format!(
            "The number of instance IDs ({}) exceeds the limit of {most}",
            ids.len()
        )));
    }
    Ok(())
}
