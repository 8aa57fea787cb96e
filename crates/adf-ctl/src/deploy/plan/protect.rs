//! Protection from scale-in while two fleets run: a policy that sees half the load on twice the instances would
//! take away what serves, or what is to serve. Instances that somebody else protects stay protected.
//!
//! It does not hold back health replacements and terminations by hand, see "Instance scale-in protection".

use adf_types::{DeployRecord, InstanceId};

use super::{Action, Decision, act};
use crate::aws::Lifecycle;
use crate::deploy::fleet::{Fleet, Member};

/// `SetInstanceProtection` takes at most 50 instances a call.
const BATCH: usize = 50;

/// Protects what is in service and not yet protected.
pub(super) fn begin(fleet: &Fleet, record: &DeployRecord) -> Option<Decision> {
    let known = &record.progress.protected;
    let bare = in_service(fleet).filter(|m| !m.protected && !known.contains(&m.id));
    batch(bare).map(|ids| act(Action::Protect(ids)))
}

/// Takes back the protection that the deploy gave.
pub(super) fn end(fleet: &Fleet, record: &DeployRecord) -> Option<Decision> {
    let given = &record.progress.protected;
    let ours = in_service(fleet).filter(|m| m.protected && given.contains(&m.id));
    batch(ours).map(|ids| act(Action::Unprotect(ids)))
}

fn in_service(fleet: &Fleet) -> impl Iterator<Item = &Member> {
    fleet.members.iter().filter(|m| m.is(Lifecycle::InService))
}

fn batch<'a>(members: impl Iterator<Item = &'a Member>) -> Option<Vec<InstanceId>> {
    let ids: Vec<InstanceId> = members.take(BATCH).map(|m| m.id.clone()).collect();
    (!ids.is_empty()).then_some(ids)
}
