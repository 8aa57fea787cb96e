//! `StartInstanceRefresh`.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;

use super::preferences::RefreshPreferences;
use super::record::{InstanceRefresh, RefreshStatus};
use crate::model::agenda::Event;
use crate::model::groups::Group;
use crate::model::groups::mixed::{LaunchConfiguration, MixedInstances};
use crate::model::templates::{TemplateKey, VersionChoice};
use crate::model::{ApiError, Model};

/// Parameters of `StartInstanceRefresh` beside the group's name.
#[derive(Clone, Debug, Default)]
pub struct RefreshRequest {
    /// The desired configuration's template and version.
    pub template: Option<(TemplateKey, Option<String>)>,
    /// The desired configuration's policy, whose template is `template`.
    pub mixed: Option<MixedInstances>,
    pub preferences: RefreshPreferences,
}

impl Model {
    /// Starts a refresh and returns its id. The group's own template stays as it is until the refresh succeeds.
    pub fn start_instance_refresh(
        &mut self,
        group: &str,
        request: RefreshRequest,
        now: Timestamp,
    ) -> Result<String, ApiError> {
        self.refuse_during_refresh(group)?;
        let mut preferences = request.preferences;
        preferences.check()?;
        let desired = match &request.template {
            Some((key, version)) => Some(LaunchConfiguration {
                template: self.group_template(key, version.as_deref())?,
                mixed: request.mixed,
            }),
            None => None,
        };
        if preferences.auto_rollback {
            reversible(self.existing_group(group)?, desired.as_ref(), "ValidationError")?;
        }
        let held = self.existing_group(group)?;
        preferences.warmup = Some(preferences.warmup.unwrap_or_else(|| default_warmup(held)));
        let id = self.ids.uuid();
        let refresh = InstanceRefresh {
            id: id.clone(),
            status: RefreshStatus::Pending,
            reason: None,
            started_at: now,
            ended_at: None,
            percentage: 0,
            instances_to_update: self.counting(group),
            preferences,
            desired,
            rollback: None,
            stale: BTreeSet::new(),
            total: 0,
            left: 0,
            progress_at: now,
            checkpoints: 0,
            waits_until: None,
        };
        self.group_mut(group)?.refreshes.push(refresh);
        let when = now + self.reaction();
        self.agenda.at(when, Event::Refresh { group: group.to_owned(), refresh: id.clone() });
        Ok(id)
    }
}

fn default_warmup(group: &Group) -> Duration {
    let set = group.default_warmup.and_then(|seconds| u64::try_from(seconds).ok());
    set.map_or(group.grace, Duration::from_secs)
}

/// A way back needs a desired configuration, and a version of the group's own that does not move.
pub(super) fn reversible(
    group: &Group,
    desired: Option<&LaunchConfiguration>,
    code: &'static str,
) -> Result<(), ApiError> {
    let moves = |version: &VersionChoice| matches!(version, VersionChoice::Latest | VersionChoice::Default);
    let text = match (desired, group.template.as_ref()) {
        (None, _) => "a desired configuration is required",
        (_, Some(own)) if moves(&own.version) => {
            "the Auto Scaling group's launch template version must be a number, not $Latest or $Default"
        }
        _ => return Ok(()),
    };
    Err(ApiError::new(code, format!("The instance refresh cannot be rolled back: {text}.")))
}
