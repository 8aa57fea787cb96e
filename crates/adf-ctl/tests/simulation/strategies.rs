//! Other ways of replacing a fleet, and operators who stop one and let it go on: where nothing goes wrong, all end well.

use std::time::Duration;

use adf_types::{Outcome, Strategy};

use crate::play::{Played, play};
use crate::scenario::{Errand, Scenario, Turn};

fn ann() -> Vec<Turn> {
    vec![Turn::of("ann", Errand::Deploy("v2"))]
}

fn succeeds(scenario: &Scenario) -> Played {
    let played = play(scenario);
    assert!(played.violation.is_none(), "{}", played.story());
    let outcome = played.deploys.first().and_then(|deploy| deploy.outcome.clone());
    assert_eq!(outcome, Some(Outcome::Succeeded), "{}", played.story());
    played
}

#[test]
fn a_refresh_replaces_a_fleet_and_fills_an_empty_group() {
    for (fleet, first) in [(1, false), (3, false), (3, true)] {
        let mut scenario = Scenario::calm(1, fleet, vec![ann()]);
        scenario.policy.strategy = Strategy::Refresh;
        scenario.first = first;
        succeeds(&scenario);
    }
}

#[test]
fn a_surge_of_a_part_replaces_part_after_part() {
    for (fleet, surge) in [(1, "25%"), (8, "25%"), (5, "50%")] {
        let mut scenario = Scenario::calm(1, fleet, vec![ann()]);
        scenario.policy.surge = surge.parse().expect("a share");
        succeeds(&scenario);
    }
}

#[test]
fn a_pause_holds_a_deploy_until_somebody_lets_it_go_on() {
    let (at, held) = (Duration::from_secs(4), Duration::from_mins(1));
    for next in [Errand::Resume, Errand::Promote] {
        let pause = vec![Turn::of("pat", Errand::Pause(Duration::from_mins(5))).after(at)];
        let go_on = vec![Turn::of("quinn", next).after(at + held)];
        let played = succeeds(&Scenario::calm(1, 2, vec![ann(), pause, go_on]));
        let deploy = played.deploys.first().expect("a deploy");
        let took = deploy.finished_at.expect("closed").duration_since(deploy.started_at);
        assert!(took.as_secs() >= 60, "{took:?}");
    }
}

#[test]
fn a_pause_that_nobody_ends_turns_the_deploy_back_and_names_its_limit() {
    let pause = vec![Turn::of("pat", Errand::Pause(Duration::from_secs(20))).after(Duration::from_secs(4))];
    let played = play(&Scenario::calm(1, 2, vec![ann(), pause]));
    assert!(played.violation.is_none(), "{}", played.story());
    let outcome = played.deploys.first().and_then(|deploy| deploy.outcome.clone());
    let Some(Outcome::RolledBack { reason }) = outcome else { panic!("{outcome:?}\n{}", played.story()) };
    assert!(reason.contains("adf-ctl pause --for"), "{reason}");
}
