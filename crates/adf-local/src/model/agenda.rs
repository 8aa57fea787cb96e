//! What is going to happen, and when.
//!
//! Neighbours: operations put events on the agenda, `Model::tick` takes the due ones off in order of time, then of
//! insertion. Nothing in the model changes with time except by an event, so `next_wake` is exact. An event that
//! no longer applies when it is due (its instance moved on) is dropped by its handler; nothing is ever cancelled.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::targets::TargetKey;

/// One thing that will be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A pending instance has booted.
    Boot { instance: String },
    /// A shutting-down instance is gone at the latest now.
    Halt { instance: String },
    /// The two minutes of a Spot notice are over.
    Interrupt { instance: String },
    /// A terminated instance is no longer shown.
    Forget { instance: String },
    /// A draining target's delay may be over.
    Drained { target_group: String, target: TargetKey },
    /// A group member may be able to make its next move.
    Advance { instance: String },
    /// A lifecycle action's deadline; heartbeats may have moved it.
    HookDeadline { instance: String, token: String },
    /// The group looks at a member's health.
    CheckHealth { instance: String },
    /// The group compares what it has with what it wants.
    Reconcile { group: String },
    /// A rebalance of zones looks at whether its new members serve.
    Rebalance { group: String },
    /// An instance refresh looks at its group.
    Refresh { group: String, refresh: String },
}

/// Events by time.
#[derive(Debug, Default)]
pub(super) struct Agenda {
    events: BTreeMap<(Timestamp, u64), Event>,
    inserted: u64,
}

impl Agenda {
    pub(super) fn at(&mut self, when: Timestamp, event: Event) {
        self.inserted += 1;
        self.events.insert((when, self.inserted), event);
    }

    pub(super) fn next(&self) -> Option<Timestamp> {
        self.events.keys().next().map(|(when, _)| *when)
    }

    /// Takes the first event due at `now` or before, with the time it was due.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<(Timestamp, Event)> {
        let entry = self.events.first_entry().filter(|entry| entry.key().0 <= now)?;
        let (when, _) = *entry.key();
        Some((when, entry.remove()))
    }
}
