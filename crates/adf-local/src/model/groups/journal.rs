//! Writing a group's activities.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Activity, ActivityStatus};
use crate::model::Model;

impl Model {
    /// A group's activities, newest first; of all groups without a name.
    pub fn activities<'a>(&'a self, group: Option<&'a str>) -> Vec<&'a Activity> {
        let groups = self.groups.values().filter(|it| group.is_none_or(|name| it.name == name));
        let mut all: Vec<&Activity> = groups.flat_map(|group| &group.activities).map(Arc::as_ref).collect();
        all.sort_by_key(|activity| std::cmp::Reverse(activity.started_at));
        all
    }

    /// One activity by id.
    pub fn activity(&self, id: &str) -> Option<&Activity> {
        let all = self.groups.values().flat_map(|group| group.activities.iter().rev());
        all.map(Arc::as_ref).find(|activity| activity.id == id)
    }

    pub(super) fn start_activity(
        &mut self,
        group: &str,
        description: String,
        cause: String,
        now: Timestamp,
    ) -> String {
        let id = self.ids.uuid();
        if let Some(group) = self.groups.get_mut(group) {
            group.activities.push(Arc::new(Activity {
                id: id.clone(),
                group: group.name.clone(),
                description,
                cause,
                status: ActivityStatus::InProgress,
                message: None,
                zone: None,
                subnet_id: None,
                started_at: now,
                ended_at: None,
            }));
        }
        id
    }

    /// An activity about an instance: says so, and where that is.
    pub(super) fn start_instance_activity(
        &mut self,
        group: &str,
        instance: &str,
        what: &str,
        cause: String,
        now: Timestamp,
    ) -> String {
        let id = self.start_activity(group, what.to_owned(), cause, now);
        self.name_activity(&id, group, instance, what);
        id
    }

    pub(super) fn name_activity(&mut self, id: &str, group: &str, instance: &str, what: &str) {
        let place = self.instances.get(instance).map(|it| (it.zone.clone(), it.subnet_id.clone()));
        if let Some(activity) = self.activity_mut(group, id) {
            activity.description = format!("{what}: {instance}");
            (activity.zone, activity.subnet_id) = place.unzip();
        }
    }

    /// Moves the running activity of a member to another status.
    pub(super) fn note(&mut self, instance: &str, status: ActivityStatus) {
        let Some((group, id)) = self.running_activity(instance) else { return };
        if let Some(activity) = self.activity_mut(&group, &id) {
            activity.status = status;
        }
    }

    /// Ends the running activity of a member.
    pub(super) fn end(
        &mut self,
        instance: &str,
        status: ActivityStatus,
        message: Option<String>,
        now: Timestamp,
    ) {
        if let Some((group, id)) = self.running_activity(instance) {
            self.end_activity(&group, &id, status, message, now);
        }
        if let Some(member) = self.member_mut(instance) {
            member.activity = None;
        }
    }

    pub(super) fn end_activity(
        &mut self,
        group: &str,
        id: &str,
        status: ActivityStatus,
        message: Option<String>,
        now: Timestamp,
    ) {
        if let Some(activity) = self.activity_mut(group, id) {
            activity.status = status;
            activity.message = message;
            activity.ended_at = Some(now);
        }
    }

    fn running_activity(&self, instance: &str) -> Option<(String, String)> {
        let member = self.member(instance)?;
        Some((member.group.clone(), member.activity.clone()?))
    }

    fn activity_mut(&mut self, group: &str, id: &str) -> Option<&mut Activity> {
        let activities = &mut self.groups.get_mut(group)?.activities;
        activities.iter_mut().rev().find(|activity| activity.id == id).map(Arc::make_mut)
    }
}

/// The cause of an activity, as AWS words it: `At <time> <what>.`
pub(super) fn cause(now: Timestamp, what: &str) -> String {
    format!("At {} {what}.", second(now))
}

/// AWS writes causes with whole seconds.
fn second(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
