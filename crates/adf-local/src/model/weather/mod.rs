//! The weather: what AWS does to its callers although nobody did anything wrong.
//!
//! - `launches`: no capacity in a zone, a quota, and launches that fail by chance;
//! - `lag`: reads that answer from a while ago;
//! - `throttle`: calls that are refused because there were too many;
//! - pages shorter than asked for, and times that vary.
//!
//! Neighbours: the verbs ask here before they act, `wire` before it answers. All is off in [`Weather::default`], and all chance
//! comes from one generator of its own: weather changes no identifier, and the same seed replays the same weather.

mod chance;
mod lag;
mod launches;
mod throttle;

use std::time::Duration;

pub use launches::LaunchFault;
pub use throttle::{ApiFamily, ThrottleForm, Throttling};

pub(super) use chance::Dice;
pub(super) use lag::History;
pub(super) use launches::LaunchFaults;
pub(super) use throttle::Buckets;

use super::{Model, Settings};

/// How rough it is. Changed at any time through [`Model::set_weather`].
#[derive(Clone, Debug, PartialEq)]
pub struct Weather {
    /// Each Describe call of EC2, Auto Scaling and Elastic Load Balancing answers from up to this long ago.
    pub describe_lag: Duration,
    /// Changes, too, may not know yet what was made within `describe_lag`: `InvalidInstanceID.NotFound`,
    /// `InvalidLaunchTemplateId.VersionNotFound`.
    pub changes_lag: bool,
    /// Pages hold fewer items than asked for, at least one.
    pub short_pages: bool,
    pub throttling: Throttling,
    /// Per cent of launches that fail with `InsufficientInstanceCapacity`.
    pub launch_failures: u32,
    /// Added to `boot_delay`, from nothing to this.
    pub boot_jitter: Duration,
    /// Per cent of boots that take `slow_boot` longer still.
    pub slow_boots: u32,
    pub slow_boot: Duration,
    /// Added to `asg_reaction`, from nothing to this.
    pub reaction_jitter: Duration,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            describe_lag: Duration::ZERO,
            changes_lag: false,
            short_pages: false,
            throttling: Throttling::default(),
            launch_failures: 0,
            boot_jitter: Duration::ZERO,
            slow_boots: 0,
            slow_boot: Duration::from_secs(45),
            reaction_jitter: Duration::ZERO,
        }
    }
}

impl Model {
    /// Changes the weather from now on.
    pub fn set_weather(&mut self, weather: Weather) {
        self.settings.weather = weather;
    }

    /// How long this boot takes.
    pub(super) fn boot_time(&mut self) -> Duration {
        let Settings { boot_delay, weather, .. } = &self.settings;
        let slow = if self.dice.happens(weather.slow_boots) { weather.slow_boot } else { Duration::ZERO };
        *boot_delay + self.dice.up_to(weather.boot_jitter) + slow
    }

    /// How long Auto Scaling takes this time to notice something.
    pub(super) fn reaction(&mut self) -> Duration {
        let Settings { asg_reaction, weather, .. } = &self.settings;
        *asg_reaction + self.dice.up_to(weather.reaction_jitter)
    }

    /// What share of a page, in thousandths, an answer holds when pages may be short.
    pub fn short_page(&mut self) -> Option<usize> {
        self.settings.weather.short_pages.then(|| self.dice.below(1000))
    }
}
