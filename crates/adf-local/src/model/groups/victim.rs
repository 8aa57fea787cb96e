//! Who goes when a group shrinks: the default termination policy of aws.md §3.

use super::{LifecycleState, Membership};
use crate::model::{Instance, Model};

impl Model {
    /// From the zone with the most counting members: an unprotected one, of the oldest template version, closest to the next billing
    /// hour (the one launched longest ago within its hour), then at random. `None` when all are protected.
    pub(super) fn choose_victim(&mut self, group: &str) -> Option<String> {
        let zone = self.fullest_zone(group)?;
        let candidates: Vec<(u64, i64, String)> = self
            .unprotected(group)
            .filter(|(instance, _)| instance.zone == zone)
            .map(|(instance, _)| {
                let version = instance.launch_template.as_ref().map_or(0, |(_, version)| *version);
                let into_hour = instance.launched_at.as_second().rem_euclid(3600);
                (version, into_hour, instance.id.clone())
            })
            .collect();
        let best = candidates.iter().map(|(version, hour, _)| (*version, *hour)).min()?;
        let tied: Vec<String> = candidates
            .into_iter()
            .filter(|(version, hour, _)| (*version, *hour) == best)
            .map(|(_, _, id)| id)
            .collect();
        let index = self.ids.pick(tied.len());
        tied.into_iter().nth(index)
    }

    /// Among the zones that have an unprotected member.
    fn fullest_zone(&self, group: &str) -> Option<String> {
        let counting = |zone: &str| {
            self.members(group).filter(|(it, member)| it.zone == zone && member.state.counts()).count()
        };
        let zones = self.unprotected(group).map(|(instance, _)| instance.zone.clone());
        zones.max_by_key(|zone| (counting(zone), std::cmp::Reverse(zone.clone())))
    }

    /// Protection starts with `InService`; a member still pending can always go.
    fn unprotected<'a>(&'a self, group: &'a str) -> impl Iterator<Item = (&'a Instance, &'a Membership)> {
        self.members(group).filter(|(_, member)| {
            member.state.counts()
                && !(member.protected_from_scale_in && member.state == LifecycleState::InService)
        })
    }
}
