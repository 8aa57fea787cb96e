//! A warm pool: machines prepared ahead, kept stopped or running outside of desired capacity (aws.md §1).
//!
//! Neighbours: `reconcile` keeps the pool at its size and takes from it before it launches; `advance` brings a warm member to
//! rest. A warm member is a member whose [`Membership::warm`] is set: it counts for nothing, and its launch hooks run
//! twice, before the pool and when it leaves it. Reuse on scale-in is kept and shown, and not played.

use jiff::Timestamp;

use super::journal::cause;
use super::terminate::Hooks;
use super::{Entry, Group, LifecycleState, Membership, Process};
use crate::model::agenda::Event;
use crate::model::{ApiError, Instance, InstanceState, Model};

/// What the machines of a pool do while they wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoolState {
    #[default]
    Stopped,
    Running,
    Hibernated,
}

impl PoolState {
    /// AWS's name, `Stopped`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stopped => "Stopped",
            Self::Running => "Running",
            Self::Hibernated => "Hibernated",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Stopped, Self::Running, Self::Hibernated].into_iter().find(|state| state.name() == name)
    }

    /// The lifecycle state of a member that waits.
    pub fn at_rest(self) -> LifecycleState {
        match self {
            Self::Stopped => LifecycleState::WarmedStopped,
            Self::Running => LifecycleState::WarmedRunning,
            Self::Hibernated => LifecycleState::WarmedHibernated,
        }
    }
}

/// A group's warm pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WarmPool {
    pub min_size: u32,
    /// Absent: the group's maximum.
    pub max_prepared: Option<u32>,
    pub state: PoolState,
    pub reuse_on_scale_in: bool,
    /// It goes with its last member.
    pub deleting: bool,
}

impl Group {
    /// How many warm members there are to be: what is prepared beyond desired, at least the pool's minimum.
    fn wanted_warm(&self) -> u32 {
        let Some(pool) = self.warm_pool.as_ref().filter(|pool| !pool.deleting) else { return 0 };
        let prepared = pool.max_prepared.unwrap_or(self.max);
        prepared.saturating_sub(self.desired).max(pool.min_size)
    }
}

impl Model {
    /// Makes a pool, or changes the one there is.
    pub fn put_warm_pool(&mut self, group: &str, pool: WarmPool, now: Timestamp) -> Result<(), ApiError> {
        self.refuse_during_refresh(group)?;
        if self.existing_group(group)?.mixed.is_some() {
            return Err(ApiError::validation(
                "You can't add a warm pool to an Auto Scaling group that has a mixed instances policy or a launch template that requests Spot Instances.",
            ));
        }
        self.group_mut(group)?.warm_pool = Some(pool);
        self.reconcile_soon(group, now);
        Ok(())
    }

    /// Takes the pool away; without `force` only an empty one.
    pub fn delete_warm_pool(&mut self, name: &str, force: bool, now: Timestamp) -> Result<(), ApiError> {
        let held = self.existing_group(name)?.warm_pool.clone();
        if held.is_none() {
            return Err(ApiError::validation(format!("No warm pool found for Auto Scaling group {name}")));
        }
        let empty = self.warm_members(name).next().is_none();
        if !force && !empty {
            return Err(ApiError::new(
                "ResourceInUse",
                "The warm pool has instances. Delete it with ForceDelete, or set its sizes to 0 first.",
            ));
        }
        self.group_mut(name)?.warm_pool =
            held.filter(|_| !empty).map(|pool| WarmPool { deleting: true, ..pool });
        self.reconcile_soon(name, now);
        Ok(())
    }

    /// The warm members that do not end.
    pub fn warm_members<'a>(
        &'a self,
        group: &'a str,
    ) -> impl Iterator<Item = (&'a Instance, &'a Membership)> {
        self.members(group).filter(|(_, member)| member.warm.is_some() && !member.state.is_terminating())
    }

    /// Keeps the pool at its size.
    pub(super) fn reconcile_warm_pool(&mut self, name: &str, now: Timestamp) {
        let Some(group) = self.groups.get(name).filter(|group| group.warm_pool.is_some()) else { return };
        let wanted = group.wanted_warm();
        let (state, deleting) =
            group.warm_pool.as_ref().map(|it| (it.state, it.deleting)).unwrap_or_default();
        let there: Vec<String> = self.warm_members(name).map(|(instance, _)| instance.id.clone()).collect();
        let count = u32::try_from(there.len()).unwrap_or(u32::MAX);
        let why = cause(now, "a warm pool instance was taken out because the pool's size was reduced");
        for id in there.iter().take(count.saturating_sub(wanted) as usize) {
            self.begin_terminating(id, &why, Hooks::Skip, now);
        }
        let may_launch = self.has_process(name, Process::Launch)
            && self.groups[name].launches_from.is_none_or(|from| from <= now);
        let missing = if may_launch { wanted.saturating_sub(count) } else { 0 };
        for _ in 0..missing {
            if self.launch_member(name, Some(state), now).is_err() {
                return self.launch_again_later(name, now);
            }
        }
        if deleting
            && self.members(name).all(|(_, member)| member.warm.is_none())
            && let Some(group) = self.groups.get_mut(name)
        {
            group.warm_pool = None;
        }
    }

    /// Takes a member out of the pool into the group, if one is at rest; during a refresh only one of what is launched now.
    pub(super) fn take_warm(&mut self, name: &str, now: Timestamp) -> bool {
        let refreshing = self.groups[name].active_refresh().is_some();
        let launched_now = self.groups[name].launching().and_then(|launching| self.resolved(&launching).ok());
        let fits = |(instance, member): &(&Instance, &Membership)| {
            member.state.is_warm_at_rest() && (!refreshing || instance.launch_template == launched_now)
        };
        let Some(id) = self.warm_members(name).find(fits).map(|(instance, _)| instance.id.clone()) else {
            return false;
        };
        let why = cause(
            now,
            "an instance was started in response to a difference between desired and actual capacity, increasing the capacity",
        );
        let what = "Launching a new EC2 instance from warm pool";
        let activity = self.start_instance_activity(name, &id, what, why, now);
        if let Some(member) = self.member_mut(&id) {
            member.warm = None;
            member.state = LifecycleState::Pending;
            member.entry = Entry::Launched;
            member.activity = Some(activity);
        }
        self.start_machine(&id, now);
        true
    }

    /// A warm member has been prepared: it comes to rest.
    pub(super) fn rest_in_pool(&mut self, id: &str, group: &str, state: PoolState, now: Timestamp) {
        if let Some(member) = self.member_mut(id) {
            member.state = state.at_rest();
        }
        if state != PoolState::Running
            && let Some(instance) = self.instances.get_mut(id)
        {
            instance.state = InstanceState::Stopped;
        }
        self.end(id, super::ActivityStatus::Successful, None, now);
        self.reconcile_soon(group, now);
    }

    /// A machine that is stopped boots; one that runs goes on.
    fn start_machine(&mut self, id: &str, now: Timestamp) {
        let boot_time = self.boot_time();
        let Some(instance) = self.instances.get_mut(id) else { return };
        if instance.state == InstanceState::Stopped {
            instance.state = InstanceState::Pending;
            instance.boots += 1;
            self.agenda.at(now + boot_time, Event::Boot { instance: id.to_owned() });
        } else {
            self.agenda.at(now, Event::Advance { instance: id.to_owned() });
        }
    }
}
