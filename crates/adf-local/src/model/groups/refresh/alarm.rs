//! An alarm of a refresh's `AlarmSpecification` rings.

use jiff::Timestamp;

use crate::model::Model;

impl Model {
    /// Fails the group's active refresh, or has it roll back, if the alarm is one that it watches. Whether an alarm that rings
    /// already when the refresh starts counts is undocumented: the caller decides by calling or not.
    pub fn refresh_alarm(&mut self, group: &str, alarm: &str, now: Timestamp) {
        let watched = self.active_refresh(group).is_some_and(|refresh| {
            refresh.status.launches_desired() && refresh.preferences.alarms.iter().any(|it| it == alarm)
        });
        if watched {
            self.fail_refresh(group, &format!("Alarm {alarm} is in the ALARM state."), now);
        }
    }
}
