//! Template: a numbered launch template version that starts the new release.

use adf_types::{DeployRecord, Step};

use super::{Action, Decision, act, is_first};

pub(super) fn plan(record: &DeployRecord) -> Decision {
    if record.progress.template_version.is_none() {
        return act(Action::CreateTemplateVersion);
    }
    let canary = record.policy.canary && !is_first(record);
    act(Action::Enter(if canary { Step::Canary } else { Step::Promote }))
}
