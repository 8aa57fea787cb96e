//! CloudWatch alarms that the operators named: what several looks at one come to.

use std::collections::{BTreeMap, VecDeque};

use super::Finding;

/// Looks that have a say, and how many of them must have found the alarm firing. With a look every 15 s an alarm
/// that rings for one look, and one that flaps every other minute, decides nothing; one that stays on decides within
/// 45 s, and AWS itself takes a minute at least to set one off.
const LOOKS: usize = 5;
const FIRING: usize = 3;

/// What one look at an alarm found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    Quiet,
    /// With CloudWatch's reason.
    Firing(String),
    /// `INSUFFICIENT_DATA`, no alarm of this name, or no answer: why.
    NoData(String),
}

/// The latest looks at each alarm, newest last.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlarmLooks(BTreeMap<String, VecDeque<Seen>>);

impl AlarmLooks {
    pub fn add(&mut self, alarm: &str, seen: Seen) {
        let looks = self.0.entry(alarm.to_owned()).or_default();
        looks.push_back(seen);
        while looks.len() > LOOKS {
            looks.pop_front();
        }
    }

    /// What an alarm comes to. Only a latest look that found it quiet is in favour of a pass.
    pub fn finding(&self, alarm: &str) -> Finding {
        let no_data = |why: &str| Finding::Lacks(format!("no data for alarm {alarm}{why}"));
        let Some(looks) = self.0.get(alarm) else { return no_data("") };
        let firing = looks.iter().filter(|seen| matches!(seen, Seen::Firing(_))).count();
        if firing >= FIRING {
            return Finding::Fails(told(alarm, firing, looks));
        }
        match looks.back() {
            Some(Seen::Quiet) => Finding::Passes(format!("alarm {alarm} is quiet")),
            Some(Seen::Firing(_)) => Finding::Lacks(told(alarm, firing, looks)),
            Some(Seen::NoData(why)) => no_data(&format!(" ({why})")),
            None => no_data(""),
        }
    }

    /// The first alarm that fires for good, of those that were looked at.
    pub fn firing(&self) -> Option<String> {
        self.0.keys().find_map(|alarm| match self.finding(alarm) {
            Finding::Fails(reason) => Some(reason),
            Finding::Passes(_) | Finding::Lacks(_) => None,
        })
    }
}

fn told(alarm: &str, firing: usize, looks: &VecDeque<Seen>) -> String {
    let latest = looks.iter().rev().find_map(|seen| match seen {
        Seen::Firing(reason) => Some(reason.as_str()),
        Seen::Quiet | Seen::NoData(_) => None,
    });
    let reason = latest.unwrap_or_default();
    format!("alarm {alarm} fires in {firing} of {} looks: {reason}", looks.len())
}
