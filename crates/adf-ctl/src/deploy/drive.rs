//! The loop: look, decide, act, until the deploy is over. The lock is held from before the first look to
//! after the last write.
//!
//! Neighbours: `observe`, `plan`, `act` do the work; `start` hands over a record and a lock. The rule: the
//! record is saved before every call to AWS and after it, and a driver that stops anywhere leaves a deploy
//! that any other can go on with.

use std::time::Duration;

use adf_store::{BEAT, Lock, StoreError};
use adf_types::{Cause, DeployRecord, Direction, Outcome, ReleaseRecord, Step};
use tokio::time::{Instant, sleep};

use super::act::{Scene, finish, perform};
use super::clock::Clock;
use super::error::DeployError;
use super::fleet::Fleet;
use super::lookout::Lookout;
use super::observe::{Ground, Observer};
use super::plan::{Action, Decision, TURN_BACK, Wait, next_step};
use super::record::{self, Change};
use super::restorable::{self, Template};
use super::stop::Stop;
use super::view::View;
use crate::context::Context;

/// Between two looks. With four calls a look, a tenth of what one account may call ELB and EC2.
const POLL: Duration = Duration::from_secs(1);

/// The longest time between two looks, while AWS throttles: 1, 2, 4, 8, 10, 10, ... seconds.
const SLOWEST_POLL: Duration = Duration::from_secs(10);

/// How long AWS or the tables may fail to answer before the driver gives up. The deploy stays open.
const SILENCE: Duration = Duration::from_mins(5);

/// How often AWS may refuse a call on the way back or in cleanup, where there is no other way to go.
const REFUSALS: u32 = 10;

/// What a driver needs besides the deploy: time, a way to stop it, and somebody to show it to.
#[derive(Debug)]
pub struct Seat {
    pub clock: Clock,
    pub stop: Stop,
    pub view: View,
}

#[derive(Debug)]
pub struct Driver<'a> {
    context: &'a Context,
    ground: &'a Ground,
    observer: Observer<'a>,
    lookout: Lookout,
    release: ReleaseRecord,
    lock: Lock,
    record: DeployRecord,
    seat: &'a mut Seat,
    poll: Duration,
    beaten_at: Instant,
    /// Since when nothing answers.
    silent_since: Option<Instant>,
    refusals: u32,
}

impl<'a> Driver<'a> {
    pub fn new(
        context: &'a Context,
        ground: &'a Ground,
        release: ReleaseRecord,
        lock: Lock,
        record: DeployRecord,
        seat: &'a mut Seat,
    ) -> Self {
        let beaten_at = Instant::now();
        let (poll, silent_since, refusals) = (POLL, None, 0);
        let (observer, lookout) = (Observer::new(context, ground), Lookout::default());
        Self {
            context,
            ground,
            observer,
            lookout,
            release,
            lock,
            record,
            seat,
            poll,
            beaten_at,
            silent_since,
            refusals,
        }
    }

    /// Drives the deploy to its end and frees the lock, whatever happens. Answers the closed record and the
    /// fleet as it was then.
    pub async fn drive(mut self) -> Result<(DeployRecord, Fleet), DeployError> {
        let ended = self.run().await;
        self.seat.view.end();
        let freed = self.context.store.free_lock(self.lock).await;
        match ended {
            Ok(fleet) => {
                // The deploy is over and on record; a lock that could not be freed ends with its lease.
                if let Err(error) = freed {
                    self.seat.view.note(&format!("the lock was not freed and ends by itself: {error}"));
                }
                Ok((self.record, fleet))
            }
            Err(error @ (DeployError::Interrupted(_) | DeployError::Store(StoreError::LockLost { .. }))) => {
                Err(error)
            }
            Err(error) => Err(DeployError::Stuck { record: Box::new(self.record), source: Box::new(error) }),
        }
    }

    async fn run(&mut self) -> Result<Fleet, DeployError> {
        loop {
            if self.seat.stop.is_asked() {
                return Err(DeployError::Interrupted(Box::new(self.record.clone())));
            }
            let turn = self.turn().await;
            match turn {
                Ok(Some(fleet)) => return Ok(fleet),
                Ok(None) => self.silent_since = None,
                Err(error) => self.bear(error).await?,
            }
        }
    }

    /// One look, one decision, one deed. Answers the fleet when the deploy is over.
    async fn turn(&mut self) -> Result<Option<Fleet>, DeployError> {
        self.beat().await?;
        let mut fleet = Box::pin(self.observer.look(&self.record)).await?;
        let look = self.lookout.look(self.context, self.ground, &self.record, self.seat.clock.now());
        fleet.evidence = Box::pin(look).await;
        let decision = next_step(&fleet, &self.record, self.seat.clock.now());
        self.seat.view.show(&fleet, &self.record, &decision, self.seat.clock.now());
        match decision {
            Decision::Act(action) => self.act(&action).await?,
            Decision::Wait(wait) => self.wait(&wait).await?,
            Decision::Finish(outcome) => {
                self.close(&fleet, outcome).await?;
                return Ok(Some(fleet));
            }
        }
        Ok(None)
    }

    async fn act(&mut self, action: &Action) -> Result<(), DeployError> {
        let step = if let Action::Enter(step) = action { *step } else { self.record.step };
        let now = self.seat.clock.now();
        record::intend(&mut self.record, step, action.intent(), now);
        record::apply(&mut self.record, action.announces(), now);
        self.save().await?;
        match perform(self.scene(), action).await {
            Ok((change, result)) => {
                self.refusals = 0;
                self.done(change, &result).await
            }
            Err(error) => {
                let word = if error.is_refusal_by_aws() { record::REFUSED } else { record::FAILED };
                self.done(Change::None, &format!("{word}: {error}")).await?;
                self.refused(action, error).await
            }
        }
    }

    async fn done(&mut self, change: Change, result: &str) -> Result<(), DeployError> {
        record::done(&mut self.record, change, result, self.seat.clock.now());
        self.save().await
    }

    /// AWS said no. Forward there is a way out, back. On the way back the fleet may change for the better.
    async fn refused(&mut self, action: &Action, error: DeployError) -> Result<(), DeployError> {
        if !error.is_refusal_by_aws() {
            return Err(error);
        }
        if self.record.direction == Direction::Forward && self.record.step < Step::Cleanup {
            let reason = format!("could not {}: {}", action.intent(), error.with_its_cure());
            let (step, now) = (self.record.step, self.seat.clock.now());
            record::intend(&mut self.record, step, format!("{TURN_BACK}: {reason}"), now);
            return self.done(Change::TurnedBack(reason, Cause::Aws), "going back").await;
        }
        self.refusals += 1;
        if self.refusals > REFUSALS {
            return Err(error);
        }
        self.seat.view.note(&format!("{error}; looking again"));
        self.pause().await;
        Ok(())
    }

    async fn wait(&mut self, wait: &Wait) -> Result<(), DeployError> {
        if record::wait(&mut self.record, wait, self.seat.clock.now()) {
            self.save().await?;
        }
        self.poll = (self.poll / 2).max(POLL);
        self.pause().await;
        Ok(())
    }

    /// An error that may pass is waited out, up to a limit.
    async fn bear(&mut self, error: DeployError) -> Result<(), DeployError> {
        let since = *self.silent_since.get_or_insert_with(Instant::now);
        if !error.is_transient() || since.elapsed() > SILENCE {
            return Err(error);
        }
        self.poll = (self.poll * 2).min(SLOWEST_POLL);
        self.seat.view.note(&format!("{error}; trying again in {} s", self.poll.as_secs()));
        self.pause().await;
        Ok(())
    }

    async fn close(&mut self, fleet: &Fleet, outcome: Outcome) -> Result<(), DeployError> {
        let (step, now) = (self.record.step, self.seat.clock.now());
        let intent = "close the deploy: remove what only the release before used".to_owned();
        record::intend(&mut self.record, step, intent, now);
        let cleaned = finish(self.scene(), fleet, &outcome).await?;
        let now = self.seat.clock.now();
        record::done(&mut self.record, Change::None, format!("{} config names", cleaned.len()), now);
        if outcome == Outcome::Succeeded {
            Box::pin(self.look_back()).await;
        }
        let now = self.seat.clock.now();
        self.record.progress.cleaned_config.extend(cleaned);
        self.record.outcome = Some(outcome);
        self.record.finished_at = Some(now);
        self.save().await
    }

    /// Says whether the release before could still come back. Nothing depends on the answer.
    async fn look_back(&mut self) {
        let Some(from) = self.record.from.clone().filter(|from| *from != self.record.to) else { return };
        let (step, now) = (self.record.step, self.seat.clock.now());
        record::intend(&mut self.record, step, format!("look whether {from} could come back"), now);
        let version = self.record.progress.old_template_version;
        let group = self.context.aws.group(&self.record.group).await.ok().flatten();
        let template = group.as_ref().zip(version);
        let template = template.map(|(group, version)| Template { id: &group.template_id, version });
        let found = restorable::check(self.context, &self.record.app, &from, template).await;
        if let Some(warning) = found.warning() {
            self.seat.view.note(&warning);
        }
        record::done(&mut self.record, Change::None, found.in_words(), self.seat.clock.now());
    }

    async fn save(&self) -> Result<(), DeployError> {
        Ok(self.context.store.save_deploy(&self.lock, &self.record).await?)
    }

    async fn beat(&mut self) -> Result<(), DeployError> {
        if self.beaten_at.elapsed() >= BEAT {
            self.context.store.beat(&self.lock).await?;
            self.beaten_at = Instant::now();
        }
        Ok(())
    }

    async fn pause(&mut self) {
        tokio::select! {
            () = sleep(self.poll) => {}
            () = self.seat.stop.asked() => {}
        }
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            context: self.context,
            ground: self.ground,
            record: &self.record,
            release: &self.release,
            lock: &self.lock,
            now: self.seat.clock.now(),
        }
    }
}
