//! People at their terminals: each turn is one command of the real `adf-ctl`, run to its end or to its death.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use adf_ctl::context::Context;
use adf_ctl::deploy::clock::Clock;
use adf_ctl::deploy::stop::Stop;
use adf_ctl::deploy::view::View;
use adf_ctl::deploy::{self, DeployError, DeployOptions, Ended, Seat};
use adf_ctl::printer::{Format, Printer};
use adf_ctl::settings::Settings;
use adf_local::model::LifecycleState;
use adf_types::{DeployRecord, Outcome};
use jiff::SignedDuration;
use tokio::time::{sleep, timeout};

use crate::account::{app, name};
use crate::link::{Link, Party};
use crate::scenario::{Errand, Scenario, Turn, Weather};
use crate::stage::Stage;

/// Longer than any deploy: whatever takes this long never ends.
const ENDLESS: Duration = Duration::from_hours(2);

/// How often somebody types the same command again after it could not go on.
const TRIES: u32 = 8;

/// What became of a turn.
pub(crate) enum Said {
    Done(Box<Ended>),
    Refused(String),
    Failed(DeployError),
    Died,
}

pub(crate) struct Operators {
    pub(crate) stage: Arc<Stage>,
    pub(crate) settings: Settings,
    pub(crate) weather: Weather,
}

impl Operators {
    pub(crate) fn new(stage: &Arc<Stage>, settings: Settings, scenario: &Scenario) -> Self {
        Self { stage: stage.clone(), settings, weather: scenario.weather }
    }

    /// One row: each takes over from the one before who died.
    pub(crate) async fn row(&self, turns: &[Turn]) {
        for turn in turns {
            sleep(turn.after).await;
            if !self.patiently(turn).await {
                return;
            }
        }
    }

    /// The same command again while it cannot go on; answers whether its process died.
    async fn patiently(&self, turn: &Turn) -> bool {
        for _ in 0..TRIES {
            match Box::pin(self.turn(turn, self.weather)).await {
                Said::Died => return true,
                Said::Done(_) | Said::Refused(_) => return false,
                Said::Failed(_) => sleep(Duration::from_secs(20)).await,
            }
        }
        false
    }

    /// One process.
    pub(crate) async fn turn(&self, turn: &Turn, weather: Weather) -> Said {
        let stage = &self.stage;
        let link = Link::mortal(stage, turn.who, Party::Operator, weather, turn.dies);
        let context = Context::on(&link.sdk_config(), self.settings.clone(), Printer::new(Format::Json));
        stage.trace.tell(turn.who, format!("$ {:?}{}", turn.errand, skew(turn.skew)));
        let said = tokio::select! {
            biased;
            () = link.died() => Said::Died,
            said = timeout(ENDLESS, self.command(&context, turn)) => match said {
                Ok(Ok(ended)) => Said::Done(Box::new(ended)),
                Ok(Err(DeployError::Refused { reason, .. })) => Said::Refused(reason),
                Ok(Err(error)) => Said::Failed(error),
                Err(_) => {
                    stage.violate(format!("every wait has a limit: {} waits for {ENDLESS:?}", turn.who));
                    Said::Died
                }
            },
        };
        stage.tally(|tally| tally.played("commands", 1));
        for (operation, number) in link.counts() {
            stage.tally(|tally| tally.played(&format!("operator: {operation}"), number));
        }
        self.heard(turn.who, &said).await;
        said
    }

    async fn command(&self, context: &Context, turn: &Turn) -> Result<Ended, DeployError> {
        let now = self.stage.cloud.now() + SignedDuration::from_secs(turn.skew);
        let (never, stop) = tokio::sync::watch::channel(false);
        drop(never);
        let mut seat = Seat { clock: Clock::starting_at(now), stop: Stop::when(stop), view: View::hidden() };
        let names = context.settings.app().expect("adf.toml names it");
        match &turn.errand {
            Errand::Deploy(release) => {
                let options = DeployOptions::of(name(release));
                Box::pin(deploy::run(context, names, &options, &mut seat)).await
            }
            Errand::Rollback => Box::pin(deploy::rollback(context, names, "it looks bad", &mut seat)).await,
        }
    }

    /// What a terminal showed at the end, held against what is so.
    async fn heard(&self, who: &str, said: &Said) {
        let stage = &self.stage;
        match said {
            Said::Died => stage.trace.tell(who, "dies"),
            Said::Refused(reason) => {
                stage.tally(|tally| tally.played("commands refused", 1));
                stage.trace.tell(who, format!("is refused: {reason}"));
            }
            Said::Failed(error) => stage.trace.tell(who, format!("fails: {}", chain(error))),
            Said::Done(ended) => match ended.as_ref() {
                Ended::Serving { release, instances } => {
                    stage.trace.tell(who, format!("hears that {release} serves on {instances}"));
                }
                Ended::Closed { record, .. } => {
                    stage.trace.tell(who, format!("hears: {:?}", record.outcome));
                    self.closed(record).await;
                }
            },
        }
    }

    async fn closed(&self, record: &DeployRecord) {
        let stage = &self.stage;
        let outcome = match &record.outcome {
            Some(Outcome::Succeeded) => "deploys succeeded",
            Some(Outcome::RolledBack { .. }) => "deploys rolled back",
            Some(Outcome::Failed { .. }) => "deploys failed",
            None => "deploys without an outcome",
        };
        stage.tally(|tally| tally.played(outcome, 1));
        stage.check("a deploy that ends is closed", record.outcome.is_some(), || format!("{record:#?}"));
        if record.outcome == Some(Outcome::Succeeded) {
            self.proven(record).await;
        }
        let turns = record.log.iter().filter(|entry| {
            entry.intent.starts_with(adf_ctl::deploy::plan::TURN_BACK) && entry.result.is_some()
        });
        let turns = turns.count();
        stage.check("at most one automatic rollback", turns <= 1, || format!("turned back {turns} times"));
    }

    /// Rule 4: "deployed" is true of every instance in service.
    async fn proven(&self, record: &DeployRecord) {
        let stage = &self.stage;
        let Ok(receipts) = stage.store().receipts(&app()).await else { return };
        for member in stage.group().members.into_iter().filter(|m| m.state == LifecycleState::InService) {
            let receipt = receipts.iter().find(|receipt| receipt.instance.as_str() == member.id);
            let matches = receipt.is_some_and(|receipt| receipt.release == record.to);
            stage.check("deployed means that receipts match", matches, || {
                format!("{} serves beside {}: {receipt:?}", member.id, record.to)
            });
        }
    }
}

fn skew(seconds: i64) -> String {
    if seconds == 0 { String::new() } else { format!(" by a clock that is {seconds} s off") }
}

pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(words, ": {cause}");
        source = cause.source();
    }
    words
}
