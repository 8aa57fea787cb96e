//! Every place at which an operator can die, in a deploy and in a rollback; whoever comes next ends it.
//!
//! By default every place of a fleet of one, and some of a fleet of ten; all of both with `ADF_SIM_EXHAUSTIVE`, which is
//! what `cargo xtask sim --exhaustive` sets.

use std::time::Duration;

use adf_types::Outcome;

use crate::play::{Played, play};
use crate::scenario::{Errand, Scenario, Turn};

/// What is killed.
#[derive(Clone, Copy, Debug)]
enum Victim {
    Deploy,
    /// A rollback of a deploy whose driver died in the watch.
    Rollback,
}

/// Places that a default run leaves out at a fleet of ten, between two that it tries.
const STRIDE: u64 = 23;

/// How many tests share the places of one victim.
const PARTS: u64 = 4;

/// Kills at each place of this part; answers how many there were.
fn every_place(victim: Victim, fleet: u32, part: u64) {
    let whole = fleet == 1 || std::env::var_os("ADF_SIM_EXHAUSTIVE").is_some();
    let step = if whole { 1 } else { STRIDE };
    let watch = match victim {
        Victim::Deploy => 0,
        Victim::Rollback => first_call_of_the_watch(fleet),
    };
    let mut place = 1 + part * step;
    let mut kills = 0;
    while one_place(victim, fleet, place, watch) {
        kills += 4;
        place += PARTS * step;
    }
    println!("tally played {kills} kills of a {victim:?} at a fleet of {fleet}");
    assert!(kills > 0, "no place of part {part} was reached");
}

/// Before and after the call, resumed and aborted; answers whether the victim got that far.
fn one_place(victim: Victim, fleet: u32, place: u64, watch: u64) -> bool {
    for after in [false, true] {
        for next in [Errand::Resume, Errand::Abort] {
            let last = Turn::of("cyd", next.clone()).after(Duration::from_secs(1));
            let ann = Turn::of("ann", Errand::Deploy("v2"));
            let cast = match victim {
                Victim::Deploy => vec![ann.dying(place, after), last],
                Victim::Rollback => vec![
                    ann.dying(watch, true),
                    Turn::of("bob", Errand::Rollback).after(Duration::from_secs(1)).dying(place, after),
                    last,
                ],
            };
            let played = play(&Scenario::calm(1, fleet, vec![cast]));
            if let Some(violation) = &played.violation {
                panic!(
                    "{victim:?} killed at call {place}, after: {after}, then {next:?}: {violation}\n{}",
                    played.story()
                );
            }
            let deaths = played.tally.faults.values().sum::<u64>();
            let wanted = match victim {
                Victim::Deploy => 1,
                Victim::Rollback => 2,
            };
            if deaths < wanted {
                return false;
            }
            ended_as_asked(&played, &next);
        }
    }
    true
}

/// A deploy that was begun ends as the last operator wanted; one that no record told of never began.
fn ended_as_asked(played: &Played, next: &Errand) {
    let Some(last) = played.deploys.first() else { return };
    let well = match &last.outcome {
        Some(Outcome::Succeeded) => !next.goes_back() || last.log.iter().any(|e| e.intent == "begin cleanup"),
        // Asked for by the last one, or by the one who died.
        Some(Outcome::RolledBack { .. }) => true,
        _ => false,
    };
    assert!(well, "after {next:?}: {:?}\n{}", last.outcome, played.story());
}

/// The call at which the watch is on record.
fn first_call_of_the_watch(fleet: u32) -> u64 {
    let cast = vec![vec![Turn::of("ann", Errand::Deploy("v2"))]];
    let played = play(&Scenario::calm(1, fleet, cast));
    let line = played.trace.iter().find(|line| line.contains("the watch begins")).expect("a watch");
    let call = line.rsplit("(call ").next().and_then(|call| call.trim_end_matches(')').parse().ok());
    call.expect("the trace tells the number of an operator's call")
}

macro_rules! parts {
    ($($name:ident: $victim:expr, $fleet:expr, $part:expr;)*) => {
        $(
            #[test]
            fn $name() {
                every_place($victim, $fleet, $part);
            }
        )*
    };
}

parts! {
    a_deploy_of_one_killed_anywhere_0: Victim::Deploy, 1, 0;
    a_deploy_of_one_killed_anywhere_1: Victim::Deploy, 1, 1;
    a_deploy_of_one_killed_anywhere_2: Victim::Deploy, 1, 2;
    a_deploy_of_one_killed_anywhere_3: Victim::Deploy, 1, 3;
    a_rollback_of_one_killed_anywhere_0: Victim::Rollback, 1, 0;
    a_rollback_of_one_killed_anywhere_1: Victim::Rollback, 1, 1;
    a_rollback_of_one_killed_anywhere_2: Victim::Rollback, 1, 2;
    a_rollback_of_one_killed_anywhere_3: Victim::Rollback, 1, 3;
    a_deploy_of_ten_killed_anywhere_0: Victim::Deploy, 10, 0;
    a_deploy_of_ten_killed_anywhere_1: Victim::Deploy, 10, 1;
    a_deploy_of_ten_killed_anywhere_2: Victim::Deploy, 10, 2;
    a_deploy_of_ten_killed_anywhere_3: Victim::Deploy, 10, 3;
    a_rollback_of_ten_killed_anywhere_0: Victim::Rollback, 10, 0;
    a_rollback_of_ten_killed_anywhere_1: Victim::Rollback, 10, 1;
    a_rollback_of_ten_killed_anywhere_2: Victim::Rollback, 10, 2;
    a_rollback_of_ten_killed_anywhere_3: Victim::Rollback, 10, 3;
}
