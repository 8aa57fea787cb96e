//! The surprises that `aws.md` ends with, those that do not need an instance refresh (8 to 11 do), each as a test.

use adf_local::model::ec2::RunRequest;
use adf_local::model::groups::{GroupSpec, HookResult};
use adf_local::model::{
    ExitOverMax, InstanceState, LifecycleState, Probe, Settings, StandbyTermination, TargetState,
};

use crate::world::{GROUP, World, launchable, settings};

#[test]
fn surprise_1_in_service_is_not_healthy() {
    let mut world = World::new();
    let arn = world.balanced_group(1, 0, GroupSpec::default());
    let id = world.in_service().remove(0);
    assert_eq!(world.health(&arn, &id), TargetState::Initial);
    assert!(world.model.routable(&arn).is_empty(), "nobody may be sent there yet");
}

#[test]
fn surprise_2_hooks_skip_standby_attach_and_detach() {
    let mut world = World::new();
    world.group(0, 5, 1);
    world.hook("LAUNCHING");
    let id = world.in_service().remove(0);
    world.enter_standby(std::slice::from_ref(&id), true).expect("it is in service");
    world.pass(5);
    world.exit_standby(std::slice::from_ref(&id)).expect("it is in standby");
    world.pass(5);
    assert_eq!(world.state(&id), Some(LifecycleState::InService), "back without a hook");
    world.model.detach_instances(GROUP, std::slice::from_ref(&id), true, world.now).expect("in service");
    world.pass(5);
    assert_eq!(world.state(&id), None, "detached without a hook");
    assert_eq!(world.model.instance(&id).expect("it lives on").state, InstanceState::Running);
    world.model.attach_instances(GROUP, std::slice::from_ref(&id), world.now).expect("running and free");
    world.pass(5);
    assert_eq!(world.state(&id), Some(LifecycleState::InService), "attached without a hook");
}

#[test]
fn surprise_3_exit_standby_always_raises_desired() {
    let mut world = World::new();
    world.group(0, 5, 2);
    let id = world.in_service().remove(0);
    world.enter_standby(std::slice::from_ref(&id), false).expect("in service");
    world.pass(10);
    assert_eq!((world.desired(), world.in_service().len()), (2, 2), "it was replaced");
    world.exit_standby(&[id]).expect("in standby");
    world.pass(10);
    assert_eq!((world.desired(), world.in_service().len()), (3, 3));
}

#[test]
fn surprise_3_a_surplus_over_max_is_cut_where_exit_is_not_refused() {
    let mut world = World::with(Settings { exit_over_max: ExitOverMax::CutSurplus, ..settings() });
    world.group(0, 2, 2);
    let id = world.in_service().remove(0);
    world.enter_standby(std::slice::from_ref(&id), false).expect("in service");
    world.pass(10);
    world.exit_standby(&[id]).expect("in standby");
    world.pass(10);
    assert_eq!((world.desired(), world.in_service().len()), (2, 2));
}

#[test]
fn surprise_3_exit_over_max_is_refused_by_default() {
    let mut world = World::new();
    world.group(0, 2, 2);
    let id = world.in_service().remove(0);
    world.enter_standby(std::slice::from_ref(&id), false).expect("in service");
    world.pass(10);
    let refusal = world.exit_standby(std::slice::from_ref(&id)).expect_err("desired would be 3 of 2");
    assert_eq!(refusal.code, "ValidationError");
    assert_eq!(world.state(&id), Some(LifecycleState::Standby));
}

#[test]
fn surprise_4_a_dead_standby_reads_healthy_until_it_exits() {
    let mut world = World::new();
    world.group(0, 5, 2);
    let id = world.in_service().remove(0);
    world.enter_standby(std::slice::from_ref(&id), true).expect("in service");
    world.pass(5);
    world.model.terminate_instances(std::slice::from_ref(&id), world.now).expect("it exists");
    world.pass(7200);
    let dead = world.model.instance(&id).expect("the group still lists it");
    assert_eq!(dead.state, InstanceState::Terminated);
    let member = dead.membership().expect("still a member");
    assert!(member.healthy && member.state == LifecycleState::Standby, "{member:?}");
    world.exit_standby(std::slice::from_ref(&id)).expect("in standby");
    world.pass(10);
    assert_eq!(world.state(&id), None, "found unhealthy and gone");
    assert_eq!(world.in_service().len(), 2, "and replaced");
}

#[test]
fn surprise_5_terminating_a_standby_instance_touches_desired_or_not() {
    for (standby_termination, desired) in
        [(StandbyTermination::OutsideDesired, 2), (StandbyTermination::CountedInDesired, 1)]
    {
        let mut world = World::with(Settings { standby_termination, ..settings() });
        world.group(0, 5, 3);
        let id = world.in_service().remove(0);
        world.enter_standby(std::slice::from_ref(&id), true).expect("in service");
        world.pass(5);
        world.model.terminate_in_group(&id, true, world.now).expect("a member");
        world.pass(10);
        assert_eq!((world.desired(), world.in_service().len()), (desired, desired as usize));
    }
}

#[test]
fn surprise_6_enter_standby_fails_at_desired_equal_to_min() {
    let mut world = World::new();
    world.group(1, 1, 1);
    let ids = world.in_service();
    let refusal = world.enter_standby(&ids, true).expect_err("desired would fall below min");
    assert_eq!(
        refusal.message,
        "AutoScalingGroup web has min-size=1, max-size=1, and desired-size=1. To place into standby 1 instance, please update the AutoScalingGroup sizes appropriately."
    );
    world.enter_standby(&ids, false).expect("desired stays");
}

#[test]
fn surprise_7_protection_ignores_health_and_manual_termination() {
    let mut world = World::new();
    world.group(0, 5, 2);
    let ids = world.in_service();
    world.model.set_instance_protection(GROUP, &ids, true, world.now).expect("both in service");
    world.desire(0);
    world.pass(10);
    assert_eq!(world.in_service(), ids, "protected from scale-in");
    world.model.set_instance_health(&ids[0], false, true, world.now).expect("a member");
    world.model.terminate_in_group(&ids[1], false, world.now).expect("a member");
    world.pass(10);
    assert_eq!(world.in_service(), Vec::<String>::new());
}

#[test]
fn surprise_12_draining_shows_the_whole_delay_though_idle() {
    let mut world = World::new();
    let arn = world.balanced_group(1, 300, GroupSpec::default());
    let id = world.in_service().remove(0);
    world.probe(&arn, &id, Probe::Passed);
    world.enter_standby(std::slice::from_ref(&id), true).expect("in service");
    assert!(world.model.routable(&arn).is_empty(), "new requests stop at once");
    world.pass(299);
    assert_eq!(world.health(&arn, &id), TargetState::Draining);
    assert_eq!(world.state(&id), Some(LifecycleState::EnteringStandby));
    world.pass(1);
    assert_eq!(world.health(&arn, &id), TargetState::Unused);
    assert_eq!(world.state(&id), Some(LifecycleState::Standby));
}

#[test]
fn surprise_13_all_unhealthy_fails_open() {
    let mut world = World::new();
    let arn = world.balanced_group(2, 0, GroupSpec::default());
    let ids = world.in_service();
    world.pass_all(&arn);
    world.fail(&arn, &ids[0]);
    assert_eq!(world.model.routable(&arn).len(), 1, "one healthy target takes it all");
    world.fail(&arn, &ids[1]);
    assert_eq!(world.model.routable(&arn).len(), 2, "none is healthy: all are tried");
}

#[test]
fn surprise_14_a_hook_that_times_out_abandons_and_replaces() {
    let mut world = World::new();
    world.group(0, 5, 0);
    world.hook("LAUNCHING");
    world.desire(1);
    world.pass(5);
    let first = world.members(LifecycleState::PendingWait).remove(0);
    world.pass(61);
    assert_ne!(world.state(&first), Some(LifecycleState::PendingWait));
    world.pass(5);
    let second = world.members(LifecycleState::PendingWait).remove(0);
    assert_ne!(first, second, "its replacement waits now");
    world.complete(&second, HookResult::Continue).expect("it waits");
    assert_eq!(world.in_service(), [second]);
}

#[test]
fn surprise_15_a_used_token_gives_the_old_launch_and_another_zone_another_one() {
    let mut world = World::new();
    let zoned = |zone: &str| RunRequest {
        data: adf_local::model::templates::LaunchData { zone: Some(zone.to_owned()), ..launchable() },
        min: 1,
        max: 1,
        client_token: Some("deploy-1".to_owned()),
        ..RunRequest::default()
    };
    let first = world.model.run_instances(&zoned("us-east-1a"), world.now).expect("launchable");
    let old: Vec<String> = world.model.instances().map(|it| it.id.clone()).collect();
    world.model.terminate_instances(&old, world.now).expect("it exists");
    world.pass(10);
    let again = world.model.run_instances(&zoned("us-east-1a"), world.now).expect("the token is known");
    assert_eq!(first, again, "the old launch, although its instance is terminated");
    let elsewhere = world.model.run_instances(&zoned("us-east-1b"), world.now).expect("launchable");
    assert_ne!(first, elsewhere);
}

#[test]
fn surprise_15_changed_parameters_are_refused_or_silently_answered() {
    for refused in [true, false] {
        let mut world = World::with(Settings { changed_token_is_refused: refused, ..settings() });
        let request = |max| RunRequest {
            data: launchable(),
            min: 1,
            max,
            client_token: Some("deploy-1".to_owned()),
            ..RunRequest::default()
        };
        let first = world.model.run_instances(&request(1), world.now).expect("launchable");
        match world.model.run_instances(&request(2), world.now) {
            Err(error) => assert!(refused && error.code == "IdempotentParameterMismatch", "{error}"),
            Ok(reservation) => assert!(!refused && reservation == first),
        }
        assert_eq!(world.model.instances().count(), 1);
    }
}
