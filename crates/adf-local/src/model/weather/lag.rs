//! Reads that answer from a while ago, as EC2's eventual consistency has it.
//!
//! The model copies itself at most once a second, before it changes, and keeps the copies for as long as reads may lag. Each read
//! draws its own lag, so a later read may well show an earlier state. Copies share what did not change (`shared`).

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;

use super::{Buckets, Dice, LaunchFaults};
use crate::model::Model;
use crate::model::agenda::Agenda;
use crate::model::ids::Ids;

/// Between two copies at least.
const STEP: Duration = Duration::from_secs(1);

/// Copies of the model with the time until which each was the present, oldest first.
#[derive(Debug, Default)]
pub(in crate::model) struct History(VecDeque<(Timestamp, Box<Model>)>);

impl Model {
    /// The model is about to change, `now`: keeps what it was.
    pub(in crate::model) fn remember(&mut self, now: Timestamp) {
        let lag = self.settings.weather.describe_lag;
        if lag.is_zero() {
            return self.history.0.clear();
        }
        while self.history.0.front().is_some_and(|(until, _)| *until + lag < now) {
            self.history.0.pop_front();
        }
        if self.history.0.back().is_none_or(|(until, _)| *until + STEP <= now) {
            let copy = Box::new(self.copy());
            self.history.0.push_back((now, copy));
        }
    }

    /// The state that a read made `now` sees; `None` when that is the present.
    pub fn seen(&mut self, now: Timestamp) -> Option<Self> {
        let lag = self.dice.up_to(self.settings.weather.describe_lag);
        let at = now - lag;
        let (_, past) = self.history.0.iter().find(|(until, _)| *until > at)?;
        Some(past.copy())
    }

    /// Everything that reads show, and nothing that makes it go on.
    fn copy(&self) -> Self {
        Self {
            settings: self.settings.clone(),
            network: self.network.clone(),
            images: self.images.clone(),
            instances: self.instances.clone(),
            templates: self.templates.clone(),
            groups: self.groups.clone(),
            target_groups: self.target_groups.clone(),
            load_balancers: self.load_balancers.clone(),
            listeners: self.listeners.clone(),
            // A copy is only read: nothing is launched, repeated or refused in it.
            ids: Ids::new(0),
            dice: Dice::new(0),
            launches_by_token: BTreeMap::new(),
            template_tokens: BTreeMap::new(),
            agenda: Agenda::default(),
            launch_faults: LaunchFaults::default(),
            buckets: Buckets::default(),
            history: History::default(),
        }
    }
}
