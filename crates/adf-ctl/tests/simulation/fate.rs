//! What becomes of the instances of a release.

use std::time::Duration;

use crate::dice::Dice;

/// What an app does on one instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Well,
    /// Its container exits at once, each time.
    Exits,
    /// It never answers.
    Silent,
    /// It answers well for so long after its container started.
    IllAfter(Duration),
    /// One probe in ten fails.
    Flaps,
    /// The machine is launched and its agent never starts.
    Dead,
    /// Its Dockerfile does not build.
    Unbuildable,
}

/// The fates of a release's instances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fates {
    pub(crate) fate: Fate,
    /// How many instances in a hundred have it; the others are well.
    pub(crate) percent: u32,
}

impl Fates {
    pub(crate) const WELL: Self = Self { fate: Fate::Well, percent: 100 };

    pub(crate) fn of(self, seed: u64, instance: &str) -> Fate {
        let mine = Dice::at(seed, instance, 0).small(1, 100) <= self.percent;
        if mine { self.fate } else { Fate::Well }
    }

    /// Half of all new releases are good.
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        if dice.chance(0.5) {
            return Self::WELL;
        }
        let ill = Fate::IllAfter(dice.seconds(1, 90));
        let fate =
            dice.pick(&[Fate::Exits, Fate::Silent, ill, ill, Fate::Flaps, Fate::Dead, Fate::Unbuildable]);
        Self { fate, percent: dice.pick(&[100, 100, 50, 15]) }
    }
}
