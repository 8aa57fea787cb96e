//! Promote: the group launches the new template version, so that from here a scale-out starts the new release.
//! An instance refresh carries the version itself: a group that was updated before could not roll back.

use adf_types::{DeployRecord, Step, Strategy};

use super::{Action, Decision, act};
use crate::deploy::fleet::Fleet;

pub(super) fn plan(fleet: &Fleet, record: &DeployRecord) -> Decision {
    if record.policy.strategy == Strategy::Refresh {
        return act(Action::Enter(Step::Replace));
    }
    match record.progress.template_version {
        Some(version) if fleet.template_version != Some(version) => act(Action::SetGroupTemplate { version }),
        _ => act(Action::Enter(Step::Replace)),
    }
}
