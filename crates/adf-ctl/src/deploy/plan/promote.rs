//! Promote: the group launches the new template version, so that from here a scale-out starts the new release.

use adf_types::{DeployRecord, Step};

use super::{Action, Decision, act};
use crate::deploy::fleet::Fleet;

pub(super) fn plan(fleet: &Fleet, record: &DeployRecord) -> Decision {
    match record.progress.template_version {
        Some(version) if fleet.template_version != Some(version) => act(Action::SetGroupTemplate { version }),
        _ => act(Action::Enter(Step::Replace)),
    }
}
