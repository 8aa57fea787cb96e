//! One deploy world: what a seed makes of fleet, cloud, release, operators and faults.
//!
//! To add a fault: a field of [`Weather`] (faults of a connection) or a variant of [`Happening`] (things that happen
//! to the group), drawn here, done in `link` or `happening`, counted where it is done.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_local::model::Settings;
use adf_local::model::Weather as Sky;
use adf_local::model::weather::LaunchFault;
use adf_types::{ReleaseName, Strategy, Surge};

use crate::account::name;
use crate::dice::Dice;
use crate::fate::Fates;
use crate::sky;

#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) seed: u64,
    pub(crate) settings: Settings,
    /// AWS's own weather, from when the operators begin.
    pub(crate) sky: Sky,
    /// Instances that serve v1 at the start; those that a first deploy starts.
    pub(crate) fleet: u32,
    /// Nothing was ever deployed.
    pub(crate) first: bool,
    pub(crate) delivery: Delivery,
    pub(crate) policy: Policy,
    pub(crate) fates: BTreeMap<ReleaseName, Fates>,
    pub(crate) pace: Pace,
    pub(crate) weather: Weather,
    /// Operators that work at the same time; in each row one after the other.
    pub(crate) cast: Vec<Vec<Turn>>,
    pub(crate) happenings: Vec<(Duration, Happening)>,
    /// Whether the oracle looks at every half second, and not only at every call that changes something.
    pub(crate) watched: bool,
    /// What whoever tidies up at the end does with a deploy that is still open.
    pub(crate) tidying: Errand,
}

/// How instances come by their image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The release is an image.
    Image,
    /// Each instance builds it.
    Archive,
    /// The first one builds it, the others pull what it pushed.
    Repository,
}

/// What adf.toml says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) bake: Duration,
    pub(crate) min_probes: u64,
    pub(crate) watch: Duration,
    pub(crate) boot_timeout: Duration,
    pub(crate) drain: u16,
    /// What `deploy` is told; `rollback` takes the default.
    pub(crate) strategy: Strategy,
    pub(crate) surge: Surge,
    /// As adf.toml has them.
    pub(crate) checkpoints: &'static str,
    pub(crate) checkpoint_delay: Duration,
}

/// How long machines and images take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Median and 95 % of the time from running to the agent's start.
    pub(crate) boot: (f64, f64),
    /// How many in a hundred boot slowly, in about 80 s.
    pub(crate) slow: u32,
    /// How many in a hundred have a clock that is wrong, by up to ten minutes.
    pub(crate) wrong_clocks: u32,
    pub(crate) build: (f64, f64),
    pub(crate) pull: (f64, f64),
}

/// What the operators' connections are like; the agents' are a third as bad.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    pub(crate) throttled: f64,
    /// The call happened, the answer did not arrive.
    pub(crate) lost: f64,
    pub(crate) slow: f64,
    /// When DynamoDB does not answer, after the operators began.
    pub(crate) outage: Option<(Duration, Duration)>,
    /// When an operator's credentials are expired.
    pub(crate) expired: Option<(Duration, Duration)>,
}

/// One command of one operator.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) who: &'static str,
    /// How long after the row's turn before; the first, after the beginning.
    pub(crate) after: Duration,
    pub(crate) errand: Errand,
    pub(crate) dies: Option<Death>,
    /// Seconds that the operator's clock is ahead.
    pub(crate) skew: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    Deploy(&'static str),
    Rollback,
    Resume,
    Abort,
    /// For at most so long.
    Pause(Duration),
    Promote,
    /// So much of the fleet at once.
    Restart(Surge),
}

impl Errand {
    /// Whether it asks for the release before.
    pub(crate) fn goes_back(&self) -> bool {
        matches!(self, Self::Rollback | Self::Abort)
    }
}

/// The process ends at its so-manieth call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Death {
    pub(crate) call: u64,
    /// Whether that call still takes effect.
    pub(crate) after: bool,
}

/// What happens to the group beside the deploy.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Happening {
    /// Somebody sets desired capacity to so many per cent of the fleet.
    Scale(u32),
    /// An instance in service ends without a word.
    Kill,
    /// Somebody terminates an instance in service by EC2.
    Terminate,
    /// EC2 takes one back, with two minutes' notice.
    Spot,
    /// EC2's status check of one fails from here on, though its app answers.
    Impair,
    /// The load balancer finds one unhealthy for so long, though its app answers.
    Flap(Duration),
    /// Auto Scaling evens its zones out, or leaves one.
    Rebalance(Option<&'static str>),
    /// No instance starts for so long, in one zone or in all.
    NoLaunch(Option<&'static str>, LaunchFault, Duration),
    /// Somebody starts an instance refresh.
    Refresh,
}

pub(crate) const RELEASES: [&str; 3] = ["v1", "v2", "v3"];

impl Scenario {
    pub(crate) fn of(seed: u64) -> Self {
        let (dice, own) = (&mut Dice::at(seed, "scenario", 0), &mut Dice::at(seed, "checkpoints", 0));
        let first = dice.chance(0.1);
        let fates = RELEASES
            .map(|release| (name(release), if release == "v2" { Fates::draw(dice) } else { Fates::WELL }));
        let fleet = dice.pick(&[1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 12]);
        let quick = dice.chance(0.5);
        Self {
            seed,
            settings: Settings { refresh_waits_at_last_checkpoint: own.chance(0.5), ..sky::settings(dice) },
            sky: sky::weather(dice),
            fleet,
            first,
            delivery: dice.pick(&[Delivery::Image, Delivery::Image, Delivery::Archive, Delivery::Repository]),
            policy: policy(dice, own),
            fates: fates.into(),
            pace: Pace {
                boot: if quick { (4.0, 8.0) } else { (35.0, 60.0) },
                slow: if quick { 2 } else { 10 },
                wrong_clocks: 30,
                build: (20.0, 60.0),
                pull: (3.0, 10.0),
            },
            weather: Weather::draw(dice),
            cast: cast(dice),
            happenings: happenings(dice),
            watched: true,
            tidying: dice.pick(&[Errand::Deploy("v2"), Errand::Rollback, Errand::Resume, Errand::Abort]),
        }
    }
}

impl Scenario {
    /// Good releases, good connections, quick machines, short waits: whoever takes it spoils what is to be tried.
    pub(crate) fn calm(seed: u64, fleet: u32, cast: Vec<Vec<Turn>>) -> Self {
        Self {
            seed,
            settings: Settings { subnet_prefix: 20, ..Settings::default() },
            sky: Sky::default(),
            fleet,
            first: false,
            delivery: Delivery::Image,
            policy: Policy {
                bake: Duration::from_secs(2),
                min_probes: 1,
                watch: Duration::from_secs(3),
                boot_timeout: Duration::from_mins(5),
                drain: 1,
                strategy: Strategy::Surge,
                surge: Surge::ALL,
                checkpoints: USUAL_CHECKPOINTS,
                checkpoint_delay: Duration::from_secs(2),
            },
            fates: RELEASES.map(|release| (name(release), Fates::WELL)).into(),
            pace: Pace { boot: (1.0, 1.5), slow: 0, wrong_clocks: 0, build: (1.0, 1.5), pull: (0.5, 0.7) },
            weather: Weather::default(),
            cast,
            happenings: Vec::new(),
            watched: true,
            tidying: Errand::Rollback,
        }
    }
}

impl Turn {
    pub(crate) fn of(who: &'static str, errand: Errand) -> Self {
        Self { who, after: Duration::ZERO, errand, dies: None, skew: 0 }
    }

    pub(crate) fn after(self, after: Duration) -> Self {
        Self { after, ..self }
    }

    pub(crate) fn dying(self, call: u64, after: bool) -> Self {
        Self { dies: Some(Death { call, after }), ..self }
    }
}

/// Those of an adf.toml that says nothing of them.
const USUAL_CHECKPOINTS: &str = r#"["1%", "10%", "50%"]"#;

/// What was thought of later is drawn from `own`, so that seeds stay what they were.
fn policy(dice: &mut Dice, own: &mut Dice) -> Policy {
    Policy {
        bake: dice.seconds(5, 30),
        min_probes: dice.number(1, 4),
        watch: dice.seconds(5, 30),
        boot_timeout: Duration::from_mins(5),
        drain: u16::try_from(dice.number(0, 20)).unwrap_or_default(),
        strategy: if dice.chance(0.15) { Strategy::Refresh } else { Strategy::Surge },
        surge: dice.pick(&["100%", "100%", "100%", "50%", "25%"]).parse().expect("a share"),
        checkpoints: own.pick(&[USUAL_CHECKPOINTS, USUAL_CHECKPOINTS, "[\"40%\"]", "[]"]),
        checkpoint_delay: own.pick(&[0, 5, 30, 120].map(Duration::from_secs)),
    }
}

impl Weather {
    fn draw(dice: &mut Dice) -> Self {
        let window = |dice: &mut Dice, low, high| Some((dice.seconds(0, 150), dice.seconds(low, high)));
        Self {
            throttled: dice.pick(&[0.0, 0.0, 0.02, 0.1, 0.3]),
            lost: dice.pick(&[0.0, 0.0, 0.02, 0.1]),
            slow: dice.pick(&[0.0, 0.02, 0.1]),
            outage: if dice.chance(0.15) { window(dice, 5, 200) } else { None },
            expired: if dice.chance(0.1) { window(dice, 10, 120) } else { None },
        }
    }
}

fn cast(dice: &mut Dice) -> Vec<Vec<Turn>> {
    let mut rows = vec![row(dice, "ann", Duration::ZERO, Errand::Deploy("v2"))];
    if dice.chance(0.35) {
        let errand = dice.pick(&[
            Errand::Rollback,
            Errand::Rollback,
            Errand::Deploy("v2"),
            Errand::Deploy("v3"),
            Errand::Deploy("v1"),
        ]);
        let after = dice.seconds(0, 180);
        rows.push(row(dice, "bob", after, errand));
    }
    rows.extend(interludes(dice));
    rows
}

/// Somebody pauses the deploy, and somebody lets it go on, or ends it, or forgets; somebody is in a hurry.
fn interludes(dice: &mut Dice) -> Vec<Vec<Turn>> {
    let mut rows = Vec::new();
    let at = dice.seconds(0, 150);
    if dice.chance(0.25) {
        rows.push(vec![Turn::of("pat", Errand::Pause(dice.seconds(5, 120))).after(at)]);
        let next = dice.pick(&[Errand::Resume, Errand::Resume, Errand::Promote, Errand::Abort]);
        if dice.chance(0.8) {
            rows.push(vec![Turn::of("quinn", next).after(at + dice.seconds(0, 90))]);
        }
    }
    if dice.chance(0.15) {
        rows.push(vec![Turn::of("rose", Errand::Promote).after(dice.seconds(0, 200))]);
    }
    rows
}

/// A turn, and those who take over from one who died.
fn row(dice: &mut Dice, who: &'static str, after: Duration, errand: Errand) -> Vec<Turn> {
    let mut turns = vec![turn(dice, who, after, errand)];
    for who in ["cyd", "dan"] {
        if turns.last().is_some_and(|turn| turn.dies.is_some()) {
            let errand = dice.pick(&[Errand::Deploy("v2"), Errand::Resume, Errand::Rollback, Errand::Abort]);
            let after = dice.seconds(0, 60);
            turns.push(turn(dice, who, after, errand));
        }
    }
    turns
}

fn turn(dice: &mut Dice, who: &'static str, after: Duration, errand: Errand) -> Turn {
    let death = Death { call: dice.number(1, 500), after: dice.chance(0.5) };
    let skew = i64::from(dice.small(0, 1200)) - 600;
    Turn {
        who,
        after,
        errand,
        dies: dice.chance(0.4).then_some(death),
        skew: if dice.chance(0.3) { skew } else { 0 },
    }
}

fn happenings(dice: &mut Dice) -> Vec<(Duration, Happening)> {
    let number = dice.pick(&[0, 0, 0, 1, 1, 2, 3]);
    (0..number).map(|_| (dice.seconds(0, 240), happening(dice))).collect()
}

fn happening(dice: &mut Dice) -> Happening {
    let zone = dice.pick(&[None, Some("us-east-1a"), Some("us-east-1b")]);
    let fault = dice.pick(&[
        LaunchFault::InsufficientCapacity,
        LaunchFault::InsufficientCapacity,
        LaunchFault::Internal,
    ]);
    let (flaps, lasts) = (dice.seconds(4, 40), dice.seconds(10, 120));
    let scale = Happening::Scale(dice.pick(&[50, 75, 125, 150, 200]));
    dice.pick(&[
        scale,
        scale,
        Happening::Kill,
        Happening::Terminate,
        Happening::Spot,
        Happening::Impair,
        Happening::Flap(flaps),
        Happening::Rebalance(zone),
        Happening::NoLaunch(zone, fault, lasts),
        Happening::Refresh,
    ])
}
