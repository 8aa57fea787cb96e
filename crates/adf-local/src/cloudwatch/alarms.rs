//! Alarms by name.

use std::collections::BTreeMap;

use jiff::Timestamp;

/// What an alarm says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlarmState {
    Ok,
    Alarm,
    InsufficientData,
}

impl AlarmState {
    /// AWS's name, `INSUFFICIENT_DATA`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Ok, Self::Alarm, Self::InsufficientData].into_iter().find(|state| state.name() == name)
    }
}

/// An alarm.
#[derive(Clone, Debug)]
pub(super) struct Alarm {
    pub(super) state: AlarmState,
    pub(super) reason: String,
    pub(super) updated_at: Timestamp,
}

#[derive(Debug, Default)]
pub(super) struct Alarms(BTreeMap<String, Alarm>);

impl Alarms {
    pub(super) fn set(&mut self, name: &str, state: AlarmState, reason: &str, now: Timestamp) {
        let alarm = Alarm { state, reason: reason.to_owned(), updated_at: now };
        self.0.insert(name.to_owned(), alarm);
    }

    /// A new alarm has no data yet; one that exists keeps its state.
    pub(super) fn create(&mut self, name: &str, now: Timestamp) {
        if !self.0.contains_key(name) {
            self.set(name, AlarmState::InsufficientData, "Unchecked: Initial alarm creation", now);
        }
    }

    pub(super) fn exists(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Alarm)> {
        self.0.iter()
    }
}
