//! Who goes when a group shrinks: the default termination policy of aws.md §3.

use std::collections::BTreeMap;

use super::{LifecycleState, Membership};
use crate::model::{Instance, Model};

impl Model {
    /// From the zone with the most counting members: an unprotected one, of the oldest template version, closest to the next billing
    /// hour (the one launched longest ago within its hour), then at random. `None` when all are protected.
    pub(super) fn choose_victim(&mut self, group: &str) -> Option<String> {
        self.choose_among(group, &|_, member| is_unprotected(member))
    }

    /// The same among the counting members that `candidate` names.
    pub(super) fn choose_among(&mut self, group: &str, candidate: &Candidate<'_>) -> Option<String> {
        let zone = self.fullest_zone(group, candidate)?;
        let candidates: Vec<(u64, i64, String)> = self
            .candidates(group, candidate)
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

    /// Among the zones that have a candidate.
    fn fullest_zone(&self, group: &str, candidate: &Candidate<'_>) -> Option<String> {
        let mut counting: BTreeMap<&str, usize> = BTreeMap::new();
        for (instance, _) in self.members(group).filter(|(_, member)| member.state.counts()) {
            *counting.entry(&instance.zone).or_default() += 1;
        }
        let zones = self.candidates(group, candidate).map(|(instance, _)| instance.zone.as_str());
        zones.max_by_key(|zone| (counting.get(zone), std::cmp::Reverse(*zone))).map(str::to_owned)
    }

    fn candidates<'a>(
        &'a self,
        group: &'a str,
        candidate: &'a Candidate<'_>,
    ) -> impl Iterator<Item = (&'a Instance, &'a Membership)> {
        self.members(group).filter(|(instance, member)| member.state.counts() && candidate(instance, member))
    }
}

/// Whether a counting member may be chosen.
pub(super) type Candidate<'a> = dyn Fn(&Instance, &Membership) -> bool + 'a;

/// Protection starts with `InService`; a member still pending can always go.
pub(super) fn is_unprotected(member: &Membership) -> bool {
    !(member.protected_from_scale_in && member.state == LifecycleState::InService)
}
