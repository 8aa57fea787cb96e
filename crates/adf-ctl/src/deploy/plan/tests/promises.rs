//! What must be true when a deploy has ended, whatever went wrong.

use adf_types::{DeployRecord, Outcome};

use super::simulator::Trouble;
use super::*;

/// The promise of a limit: nothing takes longer than this, whatever goes wrong.
pub(super) const HOURS: Duration = Duration::from_hours(2);

pub(super) fn most(trouble: &Trouble) -> u32 {
    if trouble.tight { trouble.fleet } else { 2 * trouble.fleet + 1 }
}

/// What must be true of a fleet whose deploy has ended.
pub(super) fn defined_end(trouble: &Trouble, record: &DeployRecord, fleet: &Fleet) {
    assert_eq!(fleet.max, most(trouble).max(fleet.desired), "the group's own maximum is back: {record:#?}");
    let protected: Vec<_> =
        fleet.members.iter().filter(|m| m.protected && m.is(Lifecycle::InService)).collect();
    assert!(protected.is_empty(), "protection is left: {protected:#?}");
    let gone = fleet.canary.as_ref().is_none_or(|c| c.machine == Some(MachineState::Gone));
    let serving: Vec<_> = fleet.members.iter().filter(|m| m.is(Lifecycle::InService)).collect();
    let runs = |version| serving.iter().all(|m| m.template_version == Some(version));
    let standby = fleet.members.iter().any(Member::is_resting);
    let capacity = record.progress.capacity;
    match &record.outcome {
        Some(Outcome::Succeeded) => {
            assert!(gone && !standby && runs(NEW), "{record:#?}\n{fleet:#?}");
            // A group may be scaled out while the old instances are being terminated.
            assert!(fleet.desired == capacity || trouble.scale_out_at.is_some(), "{record:#?}");
            assert!(serving.len() >= capacity as usize);
            assert_eq!(fleet.template_version, Some(NEW));
            assert_eq!(fleet.current.as_ref().expect("set").current, release(NEW));
        }
        Some(Outcome::RolledBack { .. }) => {
            assert!(gone && !standby && runs(OLD), "{record:#?}\n{fleet:#?}");
            assert_eq!(fleet.desired, capacity);
            assert_eq!(fleet.template_version, Some(OLD));
            assert_eq!(fleet.current.as_ref().expect("kept").current, release(OLD));
        }
        other => panic!("{other:?}: {record:#?}\n{fleet:#?}"),
    }
}
