//! People at their terminals: each turn is one command of the real `adf-ctl`, run to its end or to its death.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use adf_ctl::context::Context;
use adf_ctl::deploy::clock::Clock;
use adf_ctl::deploy::stop::Stop;
use adf_ctl::deploy::view::View;
use adf_ctl::deploy::{self, Answer, DeployError, DeployOptions, Ended, RestartOptions, Seat};
use adf_ctl::printer::{Format, Printer};
use adf_ctl::settings::Settings;
use jiff::SignedDuration;
use tokio::time::{sleep, timeout};

use crate::account::name;
use crate::link::{Link, Party};
use crate::scenario::{Errand, Policy, Scenario, Turn, Weather};
use crate::stage::Stage;

/// Longer than any deploy: whatever takes this long never ends.
const ENDLESS: Duration = Duration::from_hours(2);

/// How often somebody types the same command again after it could not go on.
const TRIES: u32 = 8;

/// What became of a turn.
pub(crate) enum Said {
    Done(Box<Ended>),
    /// Whoever drives was asked, and did so or will.
    Answered,
    Refused(String),
    Failed(DeployError),
    Died,
}

pub(crate) struct Operators {
    pub(crate) stage: Arc<Stage>,
    pub(crate) settings: Settings,
    pub(crate) weather: Weather,
    policy: Policy,
    fleet: u32,
}

impl Operators {
    pub(crate) fn new(stage: &Arc<Stage>, settings: Settings, scenario: &Scenario) -> Self {
        let (weather, policy, fleet) = (scenario.weather, scenario.policy, scenario.fleet);
        Self { stage: stage.clone(), settings, weather, policy, fleet }
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
                // Somebody else's refresh ends by itself.
                Said::Refused(reason) if reason.starts_with("E203") => sleep(Duration::from_mins(1)).await,
                Said::Done(_) | Said::Answered | Said::Refused(_) => return false,
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
                Ok(Ok(Some(ended))) => Said::Done(Box::new(ended)),
                Ok(Ok(None)) => Said::Answered,
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

    /// How the deploy ended; none where whoever drives was only asked for something.
    async fn command(&self, context: &Context, turn: &Turn) -> Result<Option<Ended>, DeployError> {
        let now = self.stage.cloud.now() + SignedDuration::from_secs(turn.skew);
        let (never, stop) = tokio::sync::watch::channel(false);
        drop(never);
        let mut seat = Seat { clock: Clock::starting_at(now), stop: Stop::when(stop), view: View::hidden() };
        let names = context.settings.app().expect("adf.toml names it");
        let ended = match &turn.errand {
            Errand::Deploy(release) => {
                let (strategy, surge) = (Some(self.policy.strategy), Some(self.policy.surge));
                let options = DeployOptions { strategy, surge, ..DeployOptions::of(name(release)) };
                Box::pin(deploy::run(context, names, &options, &mut seat)).await?
            }
            Errand::Rollback => Box::pin(deploy::rollback(context, names, WHY, &mut seat)).await?,
            Errand::Abort => Box::pin(deploy::abort(context, names, WHY, &mut seat)).await?,
            Errand::Resume => Box::pin(deploy::resume(context, names, &mut seat)).await?,
            Errand::Pause(limit) => {
                let answer = deploy::pause(context, names, *limit, &mut seat).await?;
                return Ok(self.asked(&answer));
            }
            Errand::Restart(share) => {
                self.stage.oracle.rests(share.of(self.fleet));
                let options = RestartOptions { share: *share, downtime: false, boot_timeout: None };
                Box::pin(deploy::restart(context, names, &options, &mut seat)).await?
            }
            Errand::Promote => {
                let answer = deploy::promote(context, names, &mut seat).await?;
                return Ok(self.asked(&answer));
            }
        };
        Ok(Some(ended))
    }

    fn asked(&self, answer: &Answer) -> Option<Ended> {
        let word = match answer {
            Answer::Done(_) => "requests done",
            Answer::Kept(_) => "requests kept",
            Answer::TooLate(_) => "requests too late",
        };
        self.stage.tally(|tally| tally.played(word, 1));
        None
    }
}

const WHY: &str = "it looks bad";

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
