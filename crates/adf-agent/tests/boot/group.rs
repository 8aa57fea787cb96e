//! What the Auto Scaling group is told, when, and how often; and instances of a warm pool.

use std::time::Duration;

use adf_agent::exit::Exit;
use adf_agent::world::{Completion, LifecycleError};
use adf_types::InstanceState;

use crate::fakes::{A_WHILE, Event, LONG, Plan, play};

fn throttled() -> Result<Completion, LifecycleError> {
    Err(LifecycleError::Failed {
        operation: "autoscaling:CompleteLifecycleAction",
        problem: "Rate exceeded".to_owned(),
    })
}

#[tokio::test(start_paused = true)]
async fn fault_44_an_action_that_is_no_longer_active_is_done() {
    let completions = [Ok(Completion::NoActiveAction)].into();
    let ran = play(Plan { completions, ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("Continue"), ran.exit), (1, Exit::Stopped));
}

#[tokio::test(start_paused = true)]
async fn fault_44_a_throttled_group_is_told_again_after_2_4_and_8_seconds() {
    let completions = std::iter::repeat_with(throttled).take(3).collect();
    let ran = play(Plan { completions, ..Plan::default() }, A_WHILE).await;
    assert_eq!(ran.gaps("Continue"), [2, 4, 8]);
    let serving = ran.at("receipt serving");
    assert!(serving < ran.at("Continue"), "healthy is recorded first");
}

#[tokio::test(start_paused = true)]
async fn fault_44_a_group_that_cannot_be_told_is_given_up_after_five_minutes_and_the_app_serves_on() {
    let completions = std::iter::repeat_with(throttled).take(1000).collect();
    let ran = play(Plan { completions, ..Plan::default() }, LONG).await;
    let took: u64 = ran.gaps("Continue").iter().sum();
    assert!((270..=300).contains(&took), "{took}");
    assert_eq!((ran.exit, ran.count("stop new")), (Exit::Stopped, 1));
    assert!(ran.receipts.iter().rev().nth(2).is_some_and(adf_types::Receipt::is_serving));
}

#[tokio::test(start_paused = true)]
async fn fault_44_a_role_that_may_not_tell_is_not_tried_again() {
    let denied = LifecycleError::Denied {
        operation: "autoscaling:CompleteLifecycleAction",
        problem: "not authorized".to_owned(),
    };
    // A missing right stays missing: asking again would only fill the log.
    let ran = play(Plan { completions: [Err(denied)].into(), ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.count("Continue"), ran.exit), (1, Exit::Stopped));
}

#[tokio::test(start_paused = true)]
async fn fault_44_an_instance_that_is_not_yet_at_the_hook_waits_for_it_and_sends_one_continue() {
    let arrives: Event = Box::new(|plan, _| plan.group = Some("Pending:Wait"));
    let plan =
        Plan { group: Some("Pending"), events: vec![(Duration::from_secs(25), arrives)], ..Plan::default() };
    let ran = play(plan, A_WHILE).await;
    let told = ran.times("Continue");
    assert_eq!(told.len(), 1);
    assert!((25..=28).contains(&told[0].as_secs()), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn fault_44_an_instance_in_service_sends_nothing() {
    let ran = play(Plan { group: Some("InService"), ..Plan::default() }, A_WHILE).await;
    assert_eq!((ran.find("Continue"), ran.find("heartbeat"), ran.exit), (None, None, Exit::Stopped));
}

#[tokio::test(start_paused = true)]
async fn fault_44_heartbeats_are_recorded_each_third_of_the_timeout_until_continue() {
    let plan =
        Plan { build_takes: Duration::from_secs(100), heartbeat: Duration::from_secs(30), ..Plan::default() };
    let ran = play(plan, Duration::from_secs(200)).await;
    let during =
        ran.calls[..ran.at("build completes")].iter().filter(|c| *c == "heartbeat adf-launch").count();
    assert!((9..=10).contains(&during), "{during} heartbeats in 100 s");
    assert!(ran.calls[ran.at("Continue")..].iter().all(|c| !c.starts_with("heartbeat")));
}

const TARGET: &str = "meta-data/autoscaling/target-lifecycle-state";

fn warm(target: &str) -> Plan {
    let mut plan = Plan { group: Some("Warmed:Pending:Wait"), ..Plan::default() };
    plan.metadata.insert(TARGET, target.to_owned());
    plan
}

#[tokio::test(start_paused = true)]
async fn fault_45_in_a_warm_pool_the_image_is_built_the_hook_completed_and_nothing_started() {
    let ran = play(warm("Warmed:Stopped"), Duration::from_mins(5)).await;
    assert!(ran.at("build completes") < ran.at("Continue web adf-launch"));
    assert_eq!(
        (ran.count("Continue"), ran.find("create"), ran.find("start"), ran.find("config")),
        (1, None, None, None)
    );
    assert_eq!((ran.exit, ran.find("Abandon")), (Exit::Stopped, None), "the pool stops it: no failure");
    assert_eq!(ran.last().state, InstanceState::Stopped);
    assert!(ran.receipts.iter().all(|r| !r.is_serving()));
}

#[tokio::test(start_paused = true)]
async fn fault_45_out_of_the_pool_it_boots_on_with_the_config_of_that_moment() {
    let mut plan = warm("Warmed:Running");
    let joins: Event = Box::new(|plan, _| {
        plan.metadata.insert(TARGET, "InService".to_owned());
        plan.group = Some("Pending:Wait");
    });
    // Longer than a boot may take: days in the pool are not a slow boot.
    plan.events = vec![(Duration::from_hours(2), joins)];
    let ran = play(plan, Duration::from_hours(3)).await;
    assert_eq!((ran.count("build begins"), ran.count("Continue"), ran.exit), (1, 2, Exit::Stopped));
    let (config, started) = (ran.times("config web v1"), ran.times("start new"));
    assert!(config.len() == 1 && config[0] >= Duration::from_hours(2), "{config:?}");
    assert!(started[0] < Duration::from_hours(2) + Duration::from_secs(10), "{started:?}");
    assert!(ran.receipts.iter().any(adf_types::Receipt::is_serving));
}
