//! The guard before instance metadata: when it is put up, and what happens without it.

use std::time::Duration;

use adf_agent::agent::Agent;
use adf_agent::exit::Exit;
use adf_agent::world::GuardError;

use crate::fakes::{Event, Plan, play, play_with};

const A_WHILE: Duration = Duration::from_mins(5);

#[tokio::test(start_paused = true)]
async fn attack_a07_the_guard_stands_before_anything_is_built_or_started() {
    let ran = play(Plan::default(), A_WHILE).await;
    assert!(ran.at("guard raised") < ran.at("build begins"));
    assert_eq!(ran.count("guard raised"), 1, "it is not put up where it stands");
}

#[tokio::test(start_paused = true)]
async fn attack_a07_a_guard_that_falls_while_serving_is_put_up_again_within_a_minute() {
    let flush = |seconds| -> (Duration, Event) {
        (Duration::from_secs(seconds), Box::new(|plan: &mut Plan, _: &Agent| plan.guarded = false))
    };
    let fallen = Plan { events: vec![flush(90), flush(200)], ..Plan::default() };
    let ran = play(fallen, A_WHILE).await;
    assert_eq!((ran.count("guard raised"), ran.exit), (3, Exit::Stopped));
    assert_eq!(ran.count("stop new"), 1, "the app goes on being served");
}

#[tokio::test(start_paused = true)]
async fn attack_a07_a_docker_that_was_restarted_finds_the_guard_before_the_container_starts() {
    let event = |seconds, event: Event| (Duration::from_secs(seconds), event);
    let leaves: Event = Box::new(|plan, _| {
        (plan.docker_down, plan.guarded) = (true, false);
        plan.containers.iter_mut().for_each(|container| container.running = false);
    });
    let comes: Event = Box::new(|plan, _| plan.docker_down = false);
    // Between two of the looks that come each minute.
    let ran =
        play(Plan { events: vec![event(70, leaves), event(80, comes)], ..Plan::default() }, A_WHILE).await;
    let (raised, started) = (ran.times("guard raised"), ran.times("start new"));
    assert_eq!((raised.len(), started.len()), (2, 2), "{:#?}", ran.calls);
    assert!(raised[1] >= Duration::from_secs(80) && raised[1] < Duration::from_secs(90), "{raised:?}");
    let (guard, start) = (
        ran.calls.iter().rposition(|c| c == "guard raised"),
        ran.calls.iter().rposition(|c| c == "start new"),
    );
    assert!(guard < start);
}

#[tokio::test(start_paused = true)]
async fn attack_a07_without_nftables_nothing_is_built() {
    let broken = || GuardError("cannot start nft: No such file or directory (os error 2)".to_owned());
    let ran = play(Plan { guard_broken: Some(broken()), ..Plan::default() }, A_WHILE).await;
    assert_eq!(
        ran.failure().0,
        "E127 containers cannot be kept away from instance metadata: cannot start nft: No such file or directory (os \
         error 2); install nftables, or set block_imds = false in agent.toml"
    );
    assert_eq!((ran.exit, ran.find("build begins"), ran.find("create")), (Exit::Permanent, None, None));

    let off = Plan { guard_broken: Some(broken()), ..Plan::default() };
    let ran = play_with(off, A_WHILE, |settings| settings.block_imds = false).await;
    assert_eq!((ran.exit, ran.find("guard"), ran.count("Continue")), (Exit::Stopped, None, 1));
}
