//! Time: the due events of the agenda, each handed to the verb that knows it.

use jiff::Timestamp;

use super::Model;
use super::agenda::Event;

impl Model {
    /// Performs everything that was due at `now` or before, in order. Calling it again with the same time does nothing.
    pub fn tick(&mut self, now: Timestamp) {
        while let Some((when, event)) = self.agenda.take_due(now) {
            self.remember(when);
            self.perform(event, when);
        }
        self.remember(now);
    }

    /// When [`Model::tick`] has something to do next; `None` while nothing is going on.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.agenda.next()
    }

    /// `now` is when the event was due, so a late tick leaves the same history as a punctual one.
    fn perform(&mut self, event: Event, now: Timestamp) {
        match event {
            Event::Boot { instance } => self.boot(&instance, now),
            Event::Halt { instance } => self.instance_halted(&instance, now),
            Event::Interrupt { instance } => self.interrupt(&instance, now),
            Event::Forget { instance } => self.forget(&instance),
            Event::Drained { target_group, target } => self.finish_draining(&target_group, &target, now),
            Event::Advance { instance } => self.advance(&instance, now),
            Event::HookDeadline { instance, token } => self.hook_deadline(&instance, &token, now),
            Event::CheckHealth { instance } => self.check_member_health(&instance, now),
            Event::Reconcile { group } => self.reconcile(&group, now),
            Event::Rebalance { group } => self.continue_rebalance(&group, now),
            Event::Refresh { group, refresh } => self.step_refresh(&group, &refresh, now),
        }
    }
}
