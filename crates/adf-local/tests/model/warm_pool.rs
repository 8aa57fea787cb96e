//! Warm pools: outside desired, taken before anything is launched, hooks twice.

use adf_local::model::groups::{HookResult, PoolState, RefreshPreferences, RefreshRequest, WarmPool};
use adf_local::model::templates::LaunchData;
use adf_local::model::{InstanceState, LifecycleState, RefreshStatus};

use crate::world::{GROUP, World, by_name};

fn pool(world: &mut World, pool: WarmPool) {
    world.model.put_warm_pool(GROUP, pool, world.now).expect("a plain group");
}

fn warm(world: &World) -> Vec<String> {
    world.model.warm_members(GROUP).map(|(instance, _)| instance.id.clone()).collect()
}

#[test]
fn it_prepares_up_to_the_maximum_and_stops_what_it_prepared() {
    let mut world = World::new();
    world.group(0, 5, 2);
    pool(&mut world, WarmPool::default());
    world.pass(20);
    assert_eq!(warm(&world).len(), 3);
    for id in warm(&world) {
        assert_eq!(world.state(&id), Some(LifecycleState::WarmedStopped));
        assert_eq!(world.model.instance(&id).expect("it").state, InstanceState::Stopped);
    }
    assert_eq!((world.in_service().len(), world.model.counting(GROUP)), (2, 2));
    world.pass(600);
    assert_eq!(warm(&world).len(), 3, "a stopped warm member is not unhealthy");
}

#[test]
fn a_prepared_machine_that_is_gone_is_replaced() {
    for seconds in [1, 20] {
        let mut world = World::new();
        world.group(0, 3, 2);
        pool(&mut world, WarmPool::default());
        world.pass(seconds);
        let [lost] = &warm(&world)[..] else { panic!("one is prepared") };
        let lost = lost.clone();
        world.model.terminate_instances(std::slice::from_ref(&lost), world.now).expect("it is there");
        world.pass(300);
        let [new] = &warm(&world)[..] else { panic!("one is prepared") };
        assert_ne!(*new, lost, "terminated {seconds} s after it was asked for");
        assert_eq!(world.state(new), Some(LifecycleState::WarmedStopped));
    }
}

#[test]
fn a_scale_out_takes_from_the_pool_and_the_pool_shrinks_with_desired() {
    let mut world = World::new();
    world.group(0, 4, 1);
    pool(&mut world, WarmPool { min_size: 1, ..WarmPool::default() });
    world.pass(20);
    let before = warm(&world);
    world.desire(3);
    world.pass(20);
    let taken: Vec<_> = world.in_service().into_iter().filter(|id| before.contains(id)).collect();
    assert_eq!(taken.len(), 2);
    assert_eq!(world.model.instance(&taken[0]).expect("it").boots, 2, "its machine was started again");
    assert_eq!(warm(&world).len(), 1);
}

#[test]
fn launch_hooks_run_before_the_pool_and_when_it_is_left() {
    let mut world = World::new();
    world.group(0, 2, 1);
    world.hook("LAUNCHING");
    pool(&mut world, WarmPool { state: PoolState::Running, ..WarmPool::default() });
    world.pass(10);
    let [waiting] = &world.members(LifecycleState::PendingWait)[..] else { panic!("one is prepared") };
    let id = waiting.clone();
    let member = world.model.instance(&id).and_then(|it| it.membership()).expect("a member");
    assert_eq!(member.state_name(), "Warmed:Pending:Wait");
    world.complete(&id, HookResult::Continue).expect("it waits");
    world.pass(5);
    assert_eq!(world.state(&id), Some(LifecycleState::WarmedRunning));
    world.desire(2);
    world.pass(5);
    let member = world.model.instance(&id).and_then(|it| it.membership()).expect("a member");
    assert_eq!(member.state_name(), "Pending:Wait");
    world.complete(&id, HookResult::Continue).expect("it waits again");
    world.pass(5);
    assert!(world.in_service().contains(&id));
}

#[test]
fn a_pool_with_members_is_deleted_by_force_only() {
    let mut world = World::new();
    world.group(0, 3, 1);
    pool(&mut world, WarmPool::default());
    world.pass(20);
    let one = warm(&world).remove(0);
    let refusal = world.model.terminate_in_group(&one, false, world.now).expect_err("it is warm");
    assert!(refusal.message.contains("warm pool"));
    assert_eq!(world.model.delete_warm_pool(GROUP, false, world.now).expect_err("two").code, "ResourceInUse");
    world.model.delete_warm_pool(GROUP, true, world.now).expect("by force");
    world.pass(30);
    assert!(warm(&world).is_empty());
    assert!(world.model.group(GROUP).expect("it stays").warm_pool.is_none());
    assert_eq!(world.in_service().len(), 1);
}

#[test]
fn a_refresh_replaces_the_pool_too() {
    let mut world = World::new();
    world.group(0, 4, 2);
    pool(&mut world, WarmPool::default());
    world.pass(20);
    let version =
        world.version(LaunchData { instance_type: Some("t3.large".to_owned()), ..LaunchData::default() });
    let request = RefreshRequest {
        template: Some((by_name(), Some(version.to_string()))),
        preferences: RefreshPreferences { warmup: Some(std::time::Duration::ZERO), ..Default::default() },
        ..RefreshRequest::default()
    };
    world.model.start_instance_refresh(GROUP, request, world.now).expect("valid");
    let blocked = world.model.put_warm_pool(GROUP, WarmPool::default(), world.now).expect_err("a refresh");
    assert_eq!(blocked.code, "InstanceRefreshInProgress");
    world.pass(120);
    let done = world.model.instance_refreshes(GROUP).expect("it exists")[0].status;
    assert_eq!(done, RefreshStatus::Successful);
    let kinds: Vec<String> =
        world.model.members(GROUP).map(|(instance, _)| instance.instance_type.clone()).collect();
    assert_eq!(kinds, ["t3.large"; 4]);
}
