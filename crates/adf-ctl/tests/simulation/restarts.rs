//! Rolling restarts: all but one batch serve all the while, and whoever comes next ends what was begun.

use std::time::Duration;

use adf_types::{Outcome, Surge};

use crate::dice::Dice;
use crate::play::{Played, play};
use crate::scenario::{Errand, Scenario, Turn, Weather};
use crate::tally::Tally;

fn restart(share: &str) -> Errand {
    Errand::Restart(share.parse::<Surge>().expect("a share"))
}

fn whole(scenario: &Scenario) -> Played {
    let played = play(scenario);
    assert!(played.violation.is_none(), "{}", played.story());
    played
}

fn reboots(played: &Played) -> usize {
    played.trace.iter().filter(|line| line.ends_with(" reboots")).count()
}

#[test]
fn every_instance_is_rebooted_once_and_the_others_serve_meanwhile() {
    for (fleet, share) in [(2, "10%"), (5, "40%"), (30, "25%")] {
        let cast = vec![vec![Turn::of("ann", restart(share))]];
        let played = whole(&Scenario::calm(1, fleet, cast));
        let last = played.deploys.first().unwrap_or_else(|| panic!("no restart: {}", played.story()));
        assert_eq!(last.outcome, Some(Outcome::Succeeded), "{}", played.story());
        assert_eq!(reboots(&played), fleet as usize, "{}", played.story());
    }
}

#[test]
fn answers_that_are_lost_and_calls_that_are_throttled_do_not_stop_a_restart() {
    for seed in 0..10 {
        let cast = vec![vec![Turn::of("ann", restart("34%"))]];
        let mut scenario = Scenario::calm(seed, 3, cast);
        scenario.weather = Weather { throttled: 0.1, lost: 0.03, ..Weather::default() };
        let played = whole(&scenario);
        let last = played.deploys.first().unwrap_or_else(|| panic!("no restart: {}", played.story()));
        assert_eq!(last.outcome, Some(Outcome::Succeeded), "{}", played.story());
        assert!(reboots(&played) >= 3, "{}", played.story());
    }
}

#[test]
fn a_restart_that_is_stopped_leaves_the_fleet_whole() {
    let cast = vec![
        vec![Turn::of("ann", restart("34%"))],
        vec![Turn::of("bob", Errand::Abort).after(Duration::from_secs(10))],
    ];
    let played = whole(&Scenario::calm(1, 3, cast));
    let last = played.deploys.first().unwrap_or_else(|| panic!("no restart: {}", played.story()));
    assert!(matches!(last.outcome, Some(Outcome::RolledBack { .. })), "{}", played.story());
    assert!((1..3).contains(&reboots(&played)), "{}", played.story());
}

#[test]
fn a_restart_and_a_deploy_that_meet_never_harm_each_other() {
    let mut tally = Tally::default();
    for seed in 0..100 {
        let dice = &mut Dice::at(seed, "restart meets", 0);
        let other = dice.pick(&[Errand::Deploy("v2"), Errand::Rollback, Errand::Abort, restart("10%")]);
        let later = if dice.chance(0.5) { dice.millis(0, 2000) } else { dice.seconds(0, 40) };
        let mut cast = vec![vec![Turn::of("ann", restart("10%"))], vec![Turn::of("bob", other).after(later)]];
        if dice.chance(0.5) {
            cast.reverse();
        }
        let mut scenario = Scenario::calm(seed, 2, cast);
        scenario.weather = Weather { slow: dice.pick(&[0.02, 0.1, 0.3]), ..Weather::default() };
        tally.add(&whole(&scenario).tally);
    }
    println!("{tally}");
    assert!(tally.played.contains_key("commands refused"), "somebody is told that another is at work");
}

/// Whatever else a seed does to its deploy, it does to a restart.
#[test]
fn no_rule_is_broken_by_a_restart() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let from: u64 = number("ADF_SIM_FROM").unwrap_or(0);
    for seed in from..from + number("ADF_SIM_SEEDS").unwrap_or(40) {
        let dice = &mut Dice::at(seed, "restart", 0);
        let mut scenario = Scenario::of(seed);
        scenario.first = false;
        scenario.fleet = scenario.fleet.max(2);
        for turn in scenario.cast.iter_mut().flatten() {
            if matches!(turn.errand, Errand::Deploy(_)) {
                turn.errand = restart(dice.pick(&["10%", "34%"]));
            }
        }
        scenario.tidying = dice.pick(&[Errand::Resume, Errand::Abort]);
        whole(&scenario);
    }
}

/// Every so-manieth call of a default run.
const STRIDE: u64 = 7;

#[test]
fn a_restart_killed_anywhere_is_ended_by_whoever_comes_next() {
    let step = if std::env::var_os("ADF_SIM_EXHAUSTIVE").is_some() { 1 } else { STRIDE };
    let mut kills = 0;
    for place in (1..).step_by(usize::try_from(step).expect("small")) {
        for (after, next) in
            [(false, Errand::Resume), (true, Errand::Resume), (false, Errand::Abort), (true, Errand::Abort)]
        {
            let ann = Turn::of("ann", restart("10%")).dying(place, after);
            let last = Turn::of("cyd", next.clone()).after(Duration::from_secs(1));
            let played = whole(&Scenario::calm(1, 2, vec![vec![ann, last]]));
            if played.tally.faults.values().sum::<u64>() == 0 {
                println!("tally played {kills} kills of a restart");
                assert!(kills > 20, "a restart has more calls than that");
                return;
            }
            kills += 1;
            let Some(last) = played.deploys.first() else { continue };
            let well = match &last.outcome {
                Some(Outcome::Succeeded) => true,
                Some(Outcome::RolledBack { .. }) => next.goes_back(),
                _ => false,
            };
            assert!(well, "killed at {place}, then {next:?}: {:?}\n{}", last.outcome, played.story());
        }
    }
}
