//! Lifecycle actions: answered, kept alive, timed out, each exactly once.

use std::time::Duration;

use adf_local::model::groups::{ActionKey, GroupSpec, HookResult};
use adf_local::model::{InstanceState, LifecycleState, Settings};

use crate::world::{GROUP, HOOK, World, settings};

/// A member that waits in its launch hook.
fn waiting(world: &mut World) -> String {
    world.group(0, 5, 0);
    world.hook("LAUNCHING");
    world.desire(1);
    world.pass(5);
    world.members(LifecycleState::PendingWait).remove(0)
}

#[test]
fn an_answer_counts_once_and_only_while_the_action_waits() {
    let mut world = World::new();
    let id = waiting(&mut world);
    world.complete(&id, HookResult::Continue).expect("it waits");
    assert_eq!(world.state(&id), Some(LifecycleState::InService));
    let late = world.complete(&id, HookResult::Abandon).expect_err("it is over");
    assert_eq!(late.message, format!("No active Lifecycle Action found with instance ID {id}"));
    assert_eq!(world.state(&id), Some(LifecycleState::InService));
}

#[test]
fn an_action_is_found_by_its_token() {
    let mut world = World::new();
    let id = waiting(&mut world);
    let member = world.model.instance(&id).expect("it exists").membership().expect("a member");
    let token = member.action.as_ref().expect("it waits").token.clone();
    let mut complete = |token: &str| {
        let key = ActionKey::Token(token.to_owned());
        world.model.complete_lifecycle_action(GROUP, HOOK, &key, HookResult::Continue, world.now)
    };
    let unknown = complete("0-1").expect_err("no such token");
    assert_eq!(unknown.message, "No active Lifecycle Action found with token 0-1");
    complete(&token).expect("it waits");
}

#[test]
fn heartbeats_restart_the_timer_up_to_the_global_limit() {
    let mut world = World::new();
    let id = waiting(&mut world);
    let key = ActionKey::Instance(id.clone());
    // 60 s heartbeat, so the limit is 6,000 s after the start; 5 s have passed at most.
    for _ in 0..119 {
        world.pass(50);
        world.model.record_lifecycle_heartbeat(GROUP, HOOK, &key, world.now).expect("it still waits");
    }
    assert_eq!(world.state(&id), Some(LifecycleState::PendingWait));
    world.pass(55);
    assert_ne!(world.state(&id), Some(LifecycleState::PendingWait), "no heartbeat moves the limit");
}

#[test]
fn an_abandoned_launch_is_terminated_and_replaced() {
    let mut world = World::new();
    let id = waiting(&mut world);
    world.complete(&id, HookResult::Abandon).expect("it waits");
    world.pass(10);
    assert_eq!(world.model.instance(&id).expect("shown for an hour").state, InstanceState::Terminated);
    assert_eq!(world.members(LifecycleState::PendingWait).len(), 1);
    let cancelled = world.model.activities(Some(GROUP));
    assert!(cancelled.iter().any(|it| it.status.name() == "Cancelled" && it.description.contains(&id)));
}

#[test]
fn a_terminating_hook_holds_the_machine_whatever_it_answers() {
    for result in [HookResult::Continue, HookResult::Abandon] {
        let mut world = World::new();
        world.group(0, 5, 1);
        world.hook("TERMINATING");
        let id = world.in_service().remove(0);
        world.model.terminate_in_group(&id, true, world.now).expect("a member");
        world.pass(10);
        assert_eq!(world.state(&id), Some(LifecycleState::TerminatingWait));
        assert_eq!(world.model.instance(&id).expect("it exists").state, InstanceState::Running);
        world.complete(&id, result).expect("it waits");
        world.pass(5);
        assert_eq!(world.state(&id), None);
    }
}

#[test]
fn a_terminating_hook_overlaps_draining_or_follows_it() {
    for overlaps in [true, false] {
        let mut world = World::with(Settings { terminating_hook_overlaps_drain: overlaps, ..settings() });
        world.balanced_group(1, 100, GroupSpec::default());
        world.hook("TERMINATING");
        let id = world.in_service().remove(0);
        world.model.terminate_in_group(&id, true, world.now).expect("a member");
        world.pass(5);
        let waits = world.state(&id) == Some(LifecycleState::TerminatingWait);
        assert_eq!(waits, overlaps);
        world.pass(100);
        assert!(
            world.complete(&id, HookResult::Continue).is_ok() || overlaps,
            "the hook runs after the drain"
        );
    }
}

#[test]
fn a_machine_is_not_shut_down_before_it_is_drained() {
    let mut world = World::new();
    world.balanced_group(1, 100, GroupSpec::default());
    let id = world.in_service().remove(0);
    world.model.terminate_in_group(&id, true, world.now).expect("a member");
    world.pass(99);
    assert_eq!(world.model.instance(&id).expect("it exists").state, InstanceState::Running);
    let waits = world.model.activities(Some(GROUP))[0].status.name();
    assert_eq!(waits, "WaitingForELBConnectionDraining");
    world.pass(1);
    assert_eq!(world.model.instance(&id).expect("it exists").state, InstanceState::ShuttingDown);
}

#[test]
fn removing_a_hook_lets_nobody_wait() {
    let mut world = World::new();
    let id = waiting(&mut world);
    world.model.delete_lifecycle_hook(GROUP, HOOK, world.now).expect("it exists");
    world.pass(10);
    assert_ne!(world.state(&id), Some(LifecycleState::PendingWait));
    assert_eq!(world.in_service().len(), 1, "its replacement needs no hook");
}

#[test]
fn a_hook_waits_between_half_a_minute_and_two_hours_and_abandons_by_default() {
    let mut world = World::new();
    world.group(0, 1, 0);
    world.hook("LAUNCHING");
    let hook = world.model.group(GROUP).expect("it exists").hooks[HOOK].clone();
    assert_eq!(hook.default_result, HookResult::Abandon);
    assert_eq!(hook.global_timeout(), Duration::from_mins(100));
    for seconds in [29, 7201] {
        let request = adf_local::model::groups::HookRequest {
            name: HOOK.to_owned(),
            heartbeat: Some(seconds),
            ..Default::default()
        };
        assert_eq!(
            world.model.put_lifecycle_hook(GROUP, request).expect_err("out of range").code,
            "ValidationError"
        );
    }
}
