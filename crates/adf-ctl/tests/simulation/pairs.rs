//! Two operators at the same time: whatever order their calls come in, one deploys and the other is told so.

use std::time::Duration;

use crate::dice::Dice;
use crate::play::play;
use crate::scenario::{Errand, Scenario, Turn, Weather};
use crate::tally::Tally;

/// How many interleavings all tests of this file try together.
const ALL: u64 = 2000;
const PARTS: u64 = 8;

fn pair(seed: u64) -> Scenario {
    let dice = &mut Dice::at(seed, "pair", 0);
    let other = dice.pick(&[
        Errand::Deploy("v3"),
        Errand::Deploy("v3"),
        Errand::Deploy("v2"),
        Errand::Rollback,
        Errand::Deploy("v1"),
    ]);
    let later = if dice.chance(0.5) { dice.millis(0, 2000) } else { dice.seconds(0, 40) };
    let cast = vec![vec![Turn::of("ann", Errand::Deploy("v2"))], vec![Turn::of("bob", other).after(later)]];
    let mut scenario = Scenario::calm(seed, dice.small(1, 2), cast);
    // Delays between their calls decide who comes first.
    scenario.weather = Weather { slow: dice.pick(&[0.02, 0.1, 0.3]), ..Weather::default() };
    scenario.policy.watch = Duration::from_secs(dice.number(1, 5));
    scenario
}

fn part(part: u64) {
    let mut tally = Tally::default();
    for seed in (0..ALL).filter(|seed| seed % PARTS == part) {
        let played = play(&pair(seed));
        assert!(played.violation.is_none(), "interleaving {seed}: {}", played.story());
        tally.add(&played.tally);
    }
    println!("{tally}");
    assert!(tally.played.contains_key("commands refused"), "somebody is told that another is at work");
}

macro_rules! parts {
    ($($name:ident: $part:expr;)*) => {
        $(
            #[test]
            fn $name() {
                part($part);
            }
        )*
    };
}

parts! {
    two_operators_never_harm_each_other_0: 0;
    two_operators_never_harm_each_other_1: 1;
    two_operators_never_harm_each_other_2: 2;
    two_operators_never_harm_each_other_3: 3;
    two_operators_never_harm_each_other_4: 4;
    two_operators_never_harm_each_other_5: 5;
    two_operators_never_harm_each_other_6: 6;
    two_operators_never_harm_each_other_7: 7;
}
