//! One look of a refresh at its group. The agenda makes it look again for as long as it is active.

use std::time::Duration;

use jiff::Timestamp;

use super::census::Census;
use super::record::RefreshStatus;
use crate::model::Model;
use crate::model::agenda::Event;
use crate::model::groups::Process;

/// How long a refresh that gets nowhere keeps trying.
const RETRIES: Duration = Duration::from_hours(1);
/// How long any refresh may take.
const LIMIT: Duration = Duration::from_hours(14 * 24);

impl Model {
    pub(in crate::model) fn step_refresh(&mut self, group: &str, id: &str, now: Timestamp) {
        let Some(status) = self.active_refresh(group).filter(|it| it.id == id).map(|it| it.status) else {
            return;
        };
        match status {
            RefreshStatus::Pending => self.begin_refresh(group, now),
            RefreshStatus::InProgress | RefreshStatus::RollbackInProgress => self.go_on(group, now),
            RefreshStatus::Baking => self.bake(group, now),
            _ => self.finish_cancelling(group, now),
        }
        if self.active_refresh(group).is_some_and(|refresh| refresh.id == id) {
            let event = Event::Refresh { group: group.to_owned(), refresh: id.to_owned() };
            self.agenda.at(now + self.settings.refresh_pace.max(Duration::from_millis(100)), event);
        }
    }

    fn begin_refresh(&mut self, group: &str, now: Timestamp) {
        let Some(refresh) = self.active_refresh(group) else { return };
        let stale = self.stale_at_start(group, refresh);
        let total = u32::try_from(stale.len()).unwrap_or(u32::MAX);
        if let Some(refresh) = self.refresh_mut(group) {
            refresh.status = RefreshStatus::InProgress;
            refresh.progress_at = now;
            (refresh.stale, refresh.total, refresh.left) = (stale, total, total);
        }
        self.go_on(group, now);
    }

    fn go_on(&mut self, group: &str, now: Timestamp) {
        let processes = [Process::InstanceRefresh, Process::Launch, Process::Terminate];
        if processes.into_iter().any(|process| !self.has_process(group, process)) {
            return self.stay_suspended(group, now);
        }
        self.forget_settled(group);
        let Some(refresh) = self.active_refresh(group) else { return };
        let census = self.census(group, refresh, now);
        self.note_progress(group, &census, now);
        let to_the_last = self.settings.refresh_waits_at_last_checkpoint;
        if to_the_last && self.pauses_at_checkpoint(group, now) || self.complete(group, now) {
            return;
        }
        if self.gave_up(group, now) || self.pauses_at_checkpoint(group, now) {
            return;
        }
        self.replace_some(group, &census, now);
    }

    fn note_progress(&mut self, group: &str, census: &Census, now: Timestamp) {
        let Some(refresh) = self.refresh_mut(group) else { return };
        let left = census.left();
        refresh.total = refresh.total.max(left);
        let updated = refresh.total - left;
        let share = |part: u32, whole: u32| (part * 100).checked_div(whole).unwrap_or(100);
        let percentage = match &refresh.rollback {
            None => share(updated, refresh.total),
            Some(rollback) => rollback.percentage * (100 - share(updated, refresh.total)) / 100,
        };
        if left != refresh.left || census.warming > 0 {
            refresh.progress_at = now;
        }
        (refresh.percentage, refresh.left) = (percentage, left);
        if refresh.rollback.is_none() {
            refresh.instances_to_update = left;
        }
        refresh.reason = reason(census);
    }

    /// Nothing is left: baking, then success.
    fn complete(&mut self, group: &str, now: Timestamp) -> bool {
        let Some(refresh) = self.refresh_mut(group) else { return true };
        if !refresh.is_complete() {
            return false;
        }
        if refresh.rollback.is_none() && !refresh.preferences.bake.is_zero() && refresh.total > 0 {
            refresh.status = RefreshStatus::Baking;
            refresh.waits_until = Some(now + refresh.preferences.bake);
            refresh.reason = Some("Baking before the instance refresh completes.".to_owned());
            self.set_surge(group, 0, now);
        } else {
            self.succeed(group, now);
        }
        true
    }

    fn bake(&mut self, group: &str, now: Timestamp) {
        if self.active_refresh(group).and_then(|it| it.waits_until).is_none_or(|until| until <= now) {
            self.succeed(group, now);
        }
    }

    fn gave_up(&mut self, group: &str, now: Timestamp) -> bool {
        let Some(refresh) = self.active_refresh(group) else { return true };
        let since = refresh.rollback.as_ref().map_or(refresh.started_at, |rollback| rollback.started_at);
        let over = now >= since + LIMIT;
        if !over && now < refresh.progress_at + RETRIES {
            return false;
        }
        let waits_for = refresh.reason.clone().unwrap_or_default();
        let text = if over { "exceeded the maximum of 14 days" } else { "made no progress for an hour" };
        self.fail_refresh(group, &format!("The instance refresh {text}. {waits_for}"), now);
        true
    }

    /// Whether the hour goes on while a process is suspended is undocumented.
    fn stay_suspended(&mut self, group: &str, now: Timestamp) {
        let runs = self.settings.suspended_refresh_times_out;
        if let Some(refresh) = self.refresh_mut(group) {
            refresh.reason = Some("A process that the instance refresh needs is suspended.".to_owned());
            if !runs {
                refresh.progress_at = now;
            }
        }
        if runs {
            self.gave_up(group, now);
        }
    }
}

/// AWS's sentences for what a refresh waits for.
fn reason(census: &Census) -> Option<String> {
    if census.warming > 0 {
        return Some(format!(
            "Waiting for instances to warm up before continuing. {} of them are warming up.",
            census.warming
        ));
    }
    let missing = census.desired.saturating_sub(census.stale_counting).saturating_sub(census.ready);
    (missing > 0).then(|| format!("Waiting for remaining instances to be available. {missing} are not."))
}
