//! AZ rebalance: a group moves members to other zones, launching first and terminating afterwards (aws.md §3).
//!
//! AWS does this by itself whenever zones are uneven; here whoever drives the model says when, because it is a surprise to
//! whoever uses the group. Neighbours: `reconcile` launches what [`Group::wanted`] asks for beyond desired.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::journal::cause;
use super::terminate::Hooks;
use super::victim::is_unprotected;
use super::{Group, LifecycleState, Membership, Process};
use crate::model::agenda::Event;
use crate::model::{ApiError, Instance, Model};

/// Between two looks at whether the new members serve.
const LOOK: Duration = Duration::from_secs(1);
/// A rebalance whose new members never serve is given up.
const LIMIT: Duration = Duration::from_hours(1);

/// A rebalance under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::model) struct Rebalance {
    /// How many members move.
    pub(in crate::model) surge: u32,
    /// The zone that is left, where it is one.
    pub(in crate::model) out_of: Option<String>,
    until: Timestamp,
}

impl Model {
    /// Evens the group's zones out, or moves members out of the zone named, as many as AWS allows at once: the group may pass its
    /// maximum by a tenth of it, or by one. Returns how many move; none while `AZRebalance` or `Launch` is suspended.
    pub fn rebalance_zones(
        &mut self,
        name: &str,
        out_of: Option<&str>,
        now: Timestamp,
    ) -> Result<u32, ApiError> {
        let group = self.existing_group(name)?;
        let allowed = [Process::AzRebalance, Process::Launch].iter().all(|it| !group.suspended.contains(it));
        if !allowed || group.rebalance.is_some() {
            return Ok(0);
        }
        let room = (group.max + (group.max / 10).max(1)).saturating_sub(group.desired);
        let by_zone = self.counting_by_zone(group);
        let uneven = match out_of {
            Some(zone) => by_zone.get(zone).copied().unwrap_or(0),
            None => moves_to_even_out(by_zone.into_values().collect()),
        };
        let surge = uneven.min(room);
        if surge > 0 {
            let out_of = out_of.map(str::to_owned);
            self.group_mut(name)?.rebalance = Some(Rebalance { surge, out_of, until: now + LIMIT });
            self.reconcile_soon(name, now);
            self.agenda.at(now + LOOK, Event::Rebalance { group: name.to_owned() });
        }
        Ok(surge)
    }

    /// Terminates the surplus once the new members serve.
    pub(in crate::model) fn continue_rebalance(&mut self, name: &str, now: Timestamp) {
        let Some(group) = self.groups.get(name) else { return };
        let Some(rebalance) = group.rebalance.clone() else { return };
        let serving = self.members(name).filter(|(_, it)| it.state == LifecycleState::InService).count();
        let wanted = group.desired + rebalance.surge;
        let complete = u32::try_from(serving).unwrap_or(u32::MAX) >= wanted;
        if now < rebalance.until && (!complete || !self.has_process(name, Process::Terminate)) {
            self.agenda.at(now + LOOK, Event::Rebalance { group: name.to_owned() });
            return;
        }
        if complete {
            self.terminate_rebalanced(name, &rebalance, now);
        }
        if let Some(group) = self.groups.get_mut(name) {
            group.rebalance = None;
        }
        self.reconcile_soon(name, now);
    }

    fn terminate_rebalanced(&mut self, name: &str, rebalance: &Rebalance, now: Timestamp) {
        let why = cause(now, "an instance was taken out of service to aid in balancing the group's zones");
        let respects = self.settings.rebalance_respects_protection;
        let movable = |instance: &Instance, member: &Membership| {
            (!respects || is_unprotected(member))
                && rebalance.out_of.as_ref().is_none_or(|zone| instance.zone == *zone)
        };
        for _ in 0..rebalance.surge {
            let Some(victim) = self.choose_among(name, &movable) else { return };
            self.begin_terminating(&victim, &why, Hooks::Run, now);
        }
    }

    /// Counting members in each of the group's zones.
    fn counting_by_zone(&self, group: &Group) -> BTreeMap<String, u32> {
        let zones = group.subnet_ids.iter().filter_map(|id| self.network.subnet(id));
        let mut counted: BTreeMap<String, u32> = zones.map(|subnet| (subnet.zone.clone(), 0)).collect();
        for (instance, _) in self.members(&group.name).filter(|(_, member)| member.state.counts()) {
            *counted.entry(instance.zone.clone()).or_default() += 1;
        }
        counted
    }
}

/// How many have to move until no zone has two more than another.
fn moves_to_even_out(mut counts: Vec<u32>) -> u32 {
    let mut moves = 0;
    loop {
        counts.sort_unstable();
        match counts.as_mut_slice() {
            [least, .., most] if *most - *least > 1 => {
                (*least, *most, moves) = (*least + 1, *most - 1, moves + 1);
            }
            _ => return moves,
        }
    }
}
