//! Who of a group is stale, who is ready, and what follows for how far the refresh is.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::preferences::Strays;
use super::record::InstanceRefresh;
use crate::model::groups::{Group, LifecycleState, Membership};
use crate::model::{Instance, Model, TargetState};

/// A group in a refresh, counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Census {
    pub(super) desired: u32,
    /// Still to be replaced, wherever they are.
    pub(super) stale: u32,
    /// Still to be replaced and counted in desired capacity.
    pub(super) stale_counting: u32,
    /// Still to be replaced, in service and healthy. In a rollback warmed up, too: what AWS keeps a minimum of is "in
    /// service, healthy, and ready to use" (`RefreshPreferences`), and what the refresh launched last is not yet.
    pub(super) stale_serving: u32,
    /// New, healthy and warmed up.
    pub(super) ready: u32,
    /// New and healthy, not yet warmed up.
    pub(super) warming: u32,
}

impl Census {
    /// How many are still to be updated: a new one counts when it is ready.
    pub(super) fn left(&self) -> u32 {
        self.stale + self.desired.saturating_sub(self.stale_counting).saturating_sub(self.ready)
    }

    pub(super) fn serving(&self) -> u32 {
        self.stale_serving + self.ready
    }
}

impl Model {
    pub(super) fn census(&self, name: &str, refresh: &InstanceRefresh, now: Timestamp) -> Census {
        let group = &self.groups[name];
        let warmup = refresh.preferences.warmup.unwrap_or_default();
        let stale = u32::try_from(refresh.stale.len()).unwrap_or(u32::MAX);
        let mut census = Census { desired: group.desired, stale, ..Census::default() };
        for (instance, member) in self.members(name).filter(|(_, member)| member.counts()) {
            let serves = member.state == LifecycleState::InService && member.healthy;
            if refresh.stale.contains(&instance.id) {
                census.stale_counting += 1;
                let ready = refresh.rollback.is_none() || is_warm(member, warmup, now);
                census.stale_serving += u32::from(serves && ready);
            } else if serves && self.is_sound(instance, group) {
                let warm = is_warm(member, warmup, now);
                census.ready += u32::from(warm);
                census.warming += u32::from(!warm);
            }
        }
        census
    }

    /// In the eyes of the target groups too, where the group listens to them.
    fn is_sound(&self, instance: &Instance, group: &Group) -> bool {
        if !group.elb_health || !self.settings.refresh_waits_for_targets {
            return true;
        }
        group.attachments.iter().filter(|it| self.is_used(&it.target_group_arn)).all(|attachment| {
            let targets = self.target_groups.get(&attachment.target_group_arn).map(|it| &it.targets);
            let mut own = targets.into_iter().flatten().filter(|(key, _)| key.id == instance.id);
            own.any(|(_, target)| target.state == TargetState::Healthy)
        })
    }

    /// The members to replace when a refresh begins.
    pub(super) fn stale_at_start(&self, name: &str, refresh: &InstanceRefresh) -> BTreeSet<String> {
        let wanted = refresh.desired.clone().or_else(|| self.groups[name].own_configuration());
        let matching = wanted.and_then(|wanted| self.resolved(&wanted).ok());
        let skipped =
            |instance: &Instance| refresh.preferences.skip_matching && instance.launch_template == matching;
        let stays =
            |instance: &Instance, member: &Membership| is_ignored(refresh, member) || skipped(instance);
        self.members(name)
            .filter(|(_, member)| member.warm.is_none())
            .filter(|(_, member)| !member.state.is_terminating() && member.state != LifecycleState::Detaching)
            .filter(|(instance, member)| !stays(instance, member))
            .map(|(instance, _)| instance.id.clone())
            .collect()
    }

    /// The members that the group itself would not launch.
    pub(super) fn unlike_the_group(&self, name: &str) -> BTreeSet<String> {
        let own = self.groups[name].own_configuration().and_then(|own| self.resolved(&own).ok());
        self.members(name)
            .filter(|(instance, member)| {
                member.warm.is_none() && !member.state.is_terminating() && instance.launch_template != own
            })
            .map(|(instance, _)| instance.id.clone())
            .collect()
    }

    /// Drops who left the group, is leaving it, or has become one to be ignored.
    pub(super) fn forget_settled(&mut self, name: &str) {
        let Some(refresh) = self.active_refresh(name) else { return };
        let stays = |id: &&String| {
            self.member(id).is_some_and(|member| {
                member.group == name
                    && !member.state.is_terminating()
                    && member.state != LifecycleState::Detaching
                    && !is_ignored(refresh, member)
            })
        };
        let left: BTreeSet<String> = refresh.stale.iter().filter(stays).cloned().collect();
        if let Some(refresh) = self.refresh_mut(name) {
            refresh.stale = left;
        }
    }
}

fn is_ignored(refresh: &InstanceRefresh, member: &Membership) -> bool {
    let preferences = &refresh.preferences;
    let outside = matches!(member.state, LifecycleState::Standby | LifecycleState::EnteringStandby);
    outside && preferences.standby == Strays::Ignore
        || !outside && member.protected_from_scale_in && preferences.protected == Strays::Ignore
}

fn is_warm(member: &Membership, warmup: Duration, now: Timestamp) -> bool {
    member.in_service_at.is_some_and(|since| since + warmup <= now)
}
