//! What `given` makes of account, releases and weather.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use adf_local::model::Settings;

use super::phrase::Given;
use super::script::{Script, What};
use crate::account::name;
use crate::fate::Fates;
use crate::scenario::{Delivery, Errand, Pace, Policy, RELEASES, Scenario, Weather};

/// A scenario whose operators are in its text.
pub(super) struct World {
    pub(super) scenario: Scenario,
    /// The group's least and most, where they are not as `init` makes them.
    pub(super) sizes: Option<(u32, u32)>,
    toml: BTreeMap<String, Vec<String>>,
}

impl World {
    pub(super) fn of(script: &Script) -> Self {
        let mut world = Self { scenario: usual(), sizes: None, toml: BTreeMap::new() };
        world.toml.insert("[app]".to_owned(), vec!["name = \"web\"".to_owned()]);
        for line in &script.lines {
            if let What::Given(given) = &line.what {
                world.set(given);
            }
        }
        world
    }

    fn set(&mut self, given: &Given) {
        let scenario = &mut self.scenario;
        let share = |hundredths: u32| f64::from(hundredths) / 100.0;
        match given.clone() {
            Given::Fleet(fleet) => scenario.fleet = fleet,
            Given::Empty(fleet) => (scenario.fleet, scenario.first) = (fleet, true),
            Given::Release(release, fates) => {
                scenario.fates.insert(name(&release), fates);
            }
            Given::Delivery(delivery) => scenario.delivery = delivery,
            Given::Toml(section, line) => self.toml.entry(section).or_default().push(line),
            Given::Sizes(min, max) => self.sizes = Some((min, max)),
            Given::Versions(versions) => scenario.settings.template_versions = versions,
            Given::Throttled(calls) => scenario.weather.throttled = share(calls),
            Given::Lost(answers) => scenario.weather.lost = share(answers),
            Given::Outage(from, lasts) => scenario.weather.outage = Some((from, lasts)),
            Given::Expired(from, lasts) => scenario.weather.expired = Some((from, lasts)),
            Given::Boot(time) => {
                let seconds = time.as_secs_f64();
                scenario.pace.boot = (seconds, seconds * 1.1);
            }
            Given::Drain(seconds) => scenario.policy.drain = seconds,
            Given::Seed(seed) => scenario.seed = seed,
        }
    }

    /// Beside the script, where the command line looks for it.
    pub(super) fn write_toml(&self, folder: &Path) {
        let mut text = String::new();
        for (section, lines) in &self.toml {
            let _ = writeln!(text, "{section}\n{}", lines.join("\n"));
        }
        std::fs::write(folder.join("adf.toml"), text).expect("written");
    }
}

/// Three instances, good releases, good connections, machines as they are, and nobody at work yet.
fn usual() -> Scenario {
    Scenario {
        settings: Settings { boot_delay: Duration::from_secs(3), ..Settings::default() },
        delivery: Delivery::Image,
        policy: Policy { drain: 10, ..Scenario::calm(1, 3, Vec::new()).policy },
        fates: RELEASES.map(|release| (name(release), Fates::WELL)).into(),
        pace: Pace { boot: (20.0, 25.0), slow: 0, wrong_clocks: 0, build: (30.0, 40.0), pull: (3.0, 5.0) },
        weather: Weather::default(),
        tidying: Errand::Rollback,
        ..Scenario::calm(1, 3, Vec::new())
    }
}
