//! Instance refresh: what is replaced when, by what, and how it ends.

use std::time::Duration;

use adf_local::model::groups::{
    GroupSpec, HookResult, InstanceRefresh, NewGroup, RefreshPreferences, RefreshRequest, RefreshStatus,
    Strays,
};
use adf_local::model::templates::LaunchData;
use adf_local::model::{LifecycleState, Settings};

use crate::world::{GROUP, World, by_name, settings};

/// No warm-up, so that a refresh is as quick as its instances.
pub(crate) fn quick() -> RefreshPreferences {
    RefreshPreferences { warmup: Some(Duration::ZERO), ..RefreshPreferences::default() }
}

/// Version 2 of `web`, another type.
fn second(world: &mut World) {
    let data = LaunchData { instance_type: Some("t3.large".to_owned()), ..LaunchData::default() };
    assert_eq!(world.version(data), 2);
}

/// A group of numbered version 1, and version 2 beside it.
pub(crate) fn numbered(settings: Settings, max: u32, desired: u32) -> World {
    let mut world = World::with(settings);
    world.template();
    let spec = GroupSpec { template: Some((by_name(), Some("1".to_owned()))), ..GroupSpec::default() };
    world.group_with(0, max, desired, NewGroup { spec, ..NewGroup::default() });
    second(&mut world);
    world
}

fn to_second(preferences: RefreshPreferences) -> RefreshRequest {
    RefreshRequest {
        template: Some((by_name(), Some("2".to_owned()))),
        preferences,
        ..RefreshRequest::default()
    }
}

pub(crate) fn start(world: &mut World, preferences: RefreshPreferences) -> String {
    let now = world.now;
    world.model.start_instance_refresh(GROUP, to_second(preferences), now).expect("a valid refresh")
}

pub(crate) fn latest(world: &World) -> &InstanceRefresh {
    world.model.instance_refreshes(GROUP).expect("the group exists")[0]
}

pub(crate) fn status(world: &World) -> RefreshStatus {
    latest(world).status
}

pub(crate) fn versions(world: &World) -> Vec<u64> {
    let mut versions: Vec<u64> = world
        .in_service()
        .iter()
        .filter_map(|id| Some(world.model.instance(id)?.launch_template.as_ref()?.1))
        .collect();
    versions.sort_unstable();
    versions
}

fn group_version(world: &World) -> String {
    let group = world.model.group(GROUP).expect("the group exists");
    group.template.as_ref().expect("it has one").version.to_string()
}

/// Lets time pass second by second; the fewest in service and the most members there were.
fn extremes(world: &mut World, seconds: u64) -> (usize, u32) {
    let (mut fewest, mut most) = (usize::MAX, 0);
    for _ in 0..seconds {
        world.pass(1);
        fewest = fewest.min(world.in_service().len());
        most = most.max(world.model.counting(GROUP));
    }
    (fewest, most)
}

#[test]
fn every_member_is_replaced_and_the_group_takes_the_template_at_the_end() {
    let mut world = numbered(settings(), 10, 10);
    start(&mut world, quick());
    assert_eq!(status(&world), RefreshStatus::Pending);
    world.pass(3);
    assert_eq!(status(&world), RefreshStatus::InProgress);
    assert_eq!(group_version(&world), "1", "the group keeps its own until success");
    let (fewest, most) = extremes(&mut world, 120);
    assert_eq!((fewest, most), (9, 10), "90 % stays, nothing is added");
    let done = latest(&world);
    assert_eq!((done.status, done.percentage, done.instances_to_update), (RefreshStatus::Successful, 100, 0));
    assert!(done.ended_at.is_some());
    assert_eq!(versions(&world), [2; 10]);
    assert_eq!(group_version(&world), "2");
}

#[test]
fn a_single_instance_goes_down_unless_the_maximum_is_given() {
    let mut world = numbered(settings(), 2, 1);
    start(&mut world, quick());
    assert_eq!(extremes(&mut world, 60).0, 0, "max omitted: the old one ends first");
    assert_eq!(status(&world), RefreshStatus::Successful);

    let mut world = numbered(settings(), 2, 1);
    start(&mut world, RefreshPreferences { min_healthy: 100, max_healthy: Some(100), ..quick() });
    assert_eq!(extremes(&mut world, 60), (1, 2), "max given and no room: the new one starts first");
    assert_eq!(status(&world), RefreshStatus::Successful);
}

#[test]
fn launching_first_keeps_everybody_in_service_and_stays_below_the_maximum_percentage() {
    let mut world = numbered(settings(), 20, 10);
    start(&mut world, RefreshPreferences { min_healthy: 100, max_healthy: Some(130), ..quick() });
    assert_eq!(extremes(&mut world, 120), (10, 13));
    assert_eq!(status(&world), RefreshStatus::Successful);
}

#[test]
fn nothing_is_kept_when_nothing_has_to_be() {
    let mut world = numbered(settings(), 10, 4);
    start(&mut world, RefreshPreferences { min_healthy: 0, ..quick() });
    assert_eq!(extremes(&mut world, 20).0, 0);
    assert_eq!(status(&world), RefreshStatus::Successful);
}

#[test]
fn the_groups_maximum_is_passed_or_waited_for() {
    let preferences = || RefreshPreferences { min_healthy: 100, max_healthy: Some(100), ..quick() };
    let mut world = numbered(settings(), 3, 3);
    start(&mut world, preferences());
    assert_eq!(extremes(&mut world, 120), (3, 4));
    assert_eq!(status(&world), RefreshStatus::Successful);

    let mut world = numbered(Settings { refresh_may_exceed_max: false, ..settings() }, 3, 3);
    start(&mut world, preferences());
    assert_eq!(extremes(&mut world, 120), (3, 3));
    assert_eq!(status(&world), RefreshStatus::InProgress, "there is no room");
    let spec = GroupSpec { max: Some(4), ..GroupSpec::default() };
    world.model.update_group(GROUP, &spec, world.now).expect("a size, not a launch setting");
    world.pass(120);
    assert_eq!(status(&world), RefreshStatus::Successful);
}

#[test]
fn the_next_one_goes_when_the_last_one_is_warm() {
    let mut world = numbered(settings(), 4, 2);
    start(&mut world, RefreshPreferences { warmup: Some(Duration::from_secs(100)), ..quick() });
    world.pass(60);
    assert_eq!(versions(&world), [1, 2]);
    assert_eq!(latest(&world).percentage, 0, "one that is not warm does not count");
    assert!(latest(&world).reason.as_deref().expect("it waits").contains("warm up"));
    world.pass(60);
    assert_eq!(latest(&world).percentage, 50);
    world.pass(120);
    assert_eq!(status(&world), RefreshStatus::Successful);
}

#[test]
fn warm_up_falls_back_to_the_groups_default_then_to_its_grace() {
    for (default, wanted) in [(None, 40), (Some(15), 15)] {
        let mut world = numbered(settings(), 4, 1);
        let spec = GroupSpec {
            grace: Some(Duration::from_secs(40)),
            default_warmup: default,
            ..GroupSpec::default()
        };
        world.model.update_group(GROUP, &spec, world.now).expect("valid");
        start(&mut world, RefreshPreferences::default());
        assert_eq!(latest(&world).preferences.warmup, Some(Duration::from_secs(wanted)));
    }
}

#[test]
fn a_scale_out_starts_the_desired_configuration_while_it_runs() {
    let mut world = numbered(settings(), 10, 2);
    start(&mut world, RefreshPreferences { warmup: Some(Duration::from_mins(10)), ..quick() });
    world.pass(10);
    let before = versions(&world).iter().filter(|version| **version == 2).count();
    world.desire(6);
    world.pass(20);
    assert_eq!(versions(&world).iter().filter(|version| **version == 2).count(), before + 4);
}

#[test]
fn only_one_refresh_runs_and_launch_settings_wait_for_it() {
    let mut world = numbered(settings(), 4, 2);
    start(&mut world, RefreshPreferences { warmup: Some(Duration::from_mins(10)), ..quick() });
    world.pass(10);
    let now = world.now;
    let again = world.model.start_instance_refresh(GROUP, to_second(quick()), now).expect_err("one runs");
    assert_eq!(again.code, "InstanceRefreshInProgress");
    let spec = GroupSpec { template: Some((by_name(), Some("1".to_owned()))), ..GroupSpec::default() };
    let refusal = world.model.update_group(GROUP, &spec, now).expect_err("a launch setting");
    assert!(refusal.message.starts_with("An active instance refresh with a desired configuration exists."));
    let attach = world.model.attach_target_groups(GROUP, &[], now).expect_err("blocked");
    assert_eq!(attach.code, "InstanceRefreshInProgress");
    world
        .model
        .update_group(GROUP, &GroupSpec { max: Some(5), ..GroupSpec::default() }, now)
        .expect("a size");
}

#[test]
fn matching_members_are_skipped_when_asked_and_all_matching_is_instant_success() {
    let mut world = numbered(settings(), 4, 2);
    let before = world.in_service();
    let same = RefreshRequest {
        template: Some((by_name(), Some("1".to_owned()))),
        preferences: RefreshPreferences { skip_matching: true, ..quick() },
        ..RefreshRequest::default()
    };
    world.model.start_instance_refresh(GROUP, same, world.now).expect("valid");
    world.pass(2);
    assert_eq!((status(&world), latest(&world).percentage), (RefreshStatus::Successful, 100));
    assert_eq!(world.in_service(), before);
    // Without a desired configuration and without skipping, everybody is replaced by the same.
    let request = RefreshRequest { preferences: quick(), ..RefreshRequest::default() };
    world.model.start_instance_refresh(GROUP, request, world.now).expect("valid");
    world.pass(60);
    assert_eq!(status(&world), RefreshStatus::Successful);
    assert!(world.in_service().iter().all(|id| !before.contains(id)));
}

#[test]
fn cancelling_keeps_what_is_replaced_and_the_groups_own_template() {
    let mut world = numbered(settings(), 10, 10);
    start(&mut world, quick());
    world.pass(20);
    world.model.cancel_instance_refresh(GROUP, true, world.now).expect("one runs");
    assert_eq!(status(&world), RefreshStatus::Cancelling);
    world.pass(30);
    assert_eq!(status(&world), RefreshStatus::Cancelled);
    let mixed = versions(&world);
    assert!(mixed.contains(&1) && mixed.contains(&2) && mixed.len() == 10, "{mixed:?}");
    assert_eq!(group_version(&world), "1");
    let refusal = world.model.cancel_instance_refresh(GROUP, true, world.now).expect_err("none runs");
    assert_eq!(refusal.code, "ActiveInstanceRefreshNotFound");
    world.pass(600);
    assert_eq!(versions(&world), mixed, "nothing goes on afterwards");
    world.desire(9);
    world.pass(10);
    let there = world.in_service();
    world.desire(10);
    world.pass(10);
    let last = world.in_service().into_iter().find(|id| !there.contains(id)).expect("one more");
    let template = world.model.instance(&last).and_then(|it| it.launch_template.clone());
    assert_eq!(template.expect("from one").1, 1, "launches are the group's own again");
}

#[test]
fn a_rollback_brings_the_old_version_back_and_counts_down() {
    let mut world = numbered(settings(), 10, 10);
    start(&mut world, quick());
    world.pass(25);
    let (at, left) = (latest(&world).percentage, latest(&world).instances_to_update);
    assert!(at > 0 && at < 100, "{at}");
    world.model.rollback_instance_refresh(GROUP, world.now).expect("it has a desired configuration");
    assert_eq!(status(&world), RefreshStatus::RollbackInProgress);
    let mut last = at;
    while status(&world) == RefreshStatus::RollbackInProgress {
        world.pass(1);
        assert!(latest(&world).percentage <= last, "it never rises");
        last = latest(&world).percentage;
    }
    let done = latest(&world);
    assert_eq!((done.status, done.percentage), (RefreshStatus::RollbackSuccessful, 0));
    let rollback = done.rollback.as_ref().expect("there was one");
    assert_eq!((rollback.percentage, rollback.instances_to_update), (at, left));
    assert_eq!(versions(&world), [1; 10]);
    let refusal = world.model.rollback_instance_refresh(GROUP, world.now).expect_err("none runs");
    assert_eq!(refusal.code, "ActiveInstanceRefreshNotFound");
}

#[test]
fn what_cannot_be_rolled_back_says_so() {
    let mut world = numbered(settings(), 4, 2);
    let request = RefreshRequest { preferences: quick(), ..RefreshRequest::default() };
    world.model.start_instance_refresh(GROUP, request, world.now).expect("valid");
    let refusal = world.model.rollback_instance_refresh(GROUP, world.now).expect_err("nothing desired");
    assert_eq!(refusal.code, "IrreversibleInstanceRefresh");

    let mut world = World::new();
    world.group(0, 4, 1);
    second(&mut world);
    start(&mut world, quick());
    let refusal = world.model.rollback_instance_refresh(GROUP, world.now).expect_err("$Default moves");
    assert_eq!(refusal.code, "IrreversibleInstanceRefresh");
    world.pass(60);
    let auto = to_second(RefreshPreferences { auto_rollback: true, ..quick() });
    let spec = GroupSpec { template: Some((by_name(), None)), ..GroupSpec::default() };
    world.model.update_group(GROUP, &spec, world.now).expect("valid");
    let refusal = world.model.start_instance_refresh(GROUP, auto, world.now).expect_err("$Default moves");
    assert_eq!(refusal.code, "ValidationError");
}

#[test]
fn new_instances_that_never_serve_fail_it_after_an_hour() {
    for auto_rollback in [false, true] {
        let mut world = numbered(settings(), 4, 2);
        world.hook("LAUNCHING");
        start(&mut world, RefreshPreferences { auto_rollback, ..quick() });
        for _ in 0..60 {
            world.pass(59);
            assert_eq!(status(&world), RefreshStatus::InProgress);
            for id in world.members(LifecycleState::PendingWait) {
                world.complete(&id, HookResult::Abandon).expect("it waits");
            }
        }
        assert_eq!(versions(&world), [1]);
        world.pass(120);
        if auto_rollback {
            assert_eq!(status(&world), RefreshStatus::RollbackInProgress);
            for _ in 0..30 {
                world.pass(10);
                for id in world.members(LifecycleState::PendingWait) {
                    world.complete(&id, HookResult::Continue).expect("it waits");
                }
            }
            assert_eq!(status(&world), RefreshStatus::RollbackSuccessful);
            assert_eq!(versions(&world), [1, 1]);
        } else {
            assert_eq!(status(&world), RefreshStatus::Failed);
            assert!(latest(&world).reason.as_deref().expect("why").contains("an hour"));
        }
        assert_eq!(group_version(&world), "1");
    }
}

#[test]
fn protected_members_are_waited_for_left_or_replaced() {
    for (protected, after) in [
        (Strays::Wait, RefreshStatus::Failed),
        (Strays::Ignore, RefreshStatus::Successful),
        (Strays::Replace, RefreshStatus::Successful),
    ] {
        let mut world = numbered(settings(), 4, 3);
        let kept = world.in_service()[0].clone();
        world
            .model
            .set_instance_protection(GROUP, std::slice::from_ref(&kept), true, world.now)
            .expect("in service");
        start(&mut world, RefreshPreferences { protected, ..quick() });
        world.pass(60);
        if protected == Strays::Wait {
            assert_eq!(status(&world), RefreshStatus::InProgress);
            assert!(latest(&world).reason.as_deref().expect("it waits").contains(&kept));
        }
        world.pass(3700);
        assert_eq!(status(&world), after, "{protected:?}");
        assert_eq!(world.in_service().contains(&kept), protected != Strays::Replace, "{protected:?}");
        assert_eq!(group_version(&world), if protected == Strays::Wait { "1" } else { "2" });
    }
}

#[test]
fn lifting_the_protection_lets_a_waiting_refresh_finish() {
    let mut world = numbered(settings(), 4, 2);
    let kept = world.in_service()[..1].to_vec();
    world.model.set_instance_protection(GROUP, &kept, true, world.now).expect("in service");
    start(&mut world, quick());
    world.pass(1800);
    world.model.set_instance_protection(GROUP, &kept, false, world.now).expect("in service");
    world.pass(60);
    assert_eq!(status(&world), RefreshStatus::Successful);
}

#[test]
fn standby_members_are_waited_for_left_or_terminated() {
    for (standby, after) in [
        (Strays::Wait, RefreshStatus::Failed),
        (Strays::Ignore, RefreshStatus::Successful),
        (Strays::Replace, RefreshStatus::Successful),
    ] {
        let mut world = numbered(settings(), 4, 3);
        let aside = world.in_service()[0].clone();
        world.enter_standby(std::slice::from_ref(&aside), true).expect("in service");
        world.pass(10);
        start(&mut world, RefreshPreferences { standby, ..quick() });
        world.pass(4000);
        assert_eq!(status(&world), after, "{standby:?}");
        let there = world.members(LifecycleState::Standby) == [aside];
        assert_eq!(there, standby != Strays::Replace, "{standby:?}");
        assert_eq!(versions(&world), [2, 2], "{standby:?}: the others are replaced in any case");
    }
}

#[test]
fn baking_delays_success_and_an_alarm_in_it_rolls_back() {
    let preferences = || RefreshPreferences {
        bake: Duration::from_mins(10),
        auto_rollback: true,
        alarms: vec!["web-5xx".to_owned()],
        ..quick()
    };
    let mut world = numbered(settings(), 4, 2);
    start(&mut world, preferences());
    world.pass(60);
    assert_eq!(status(&world), RefreshStatus::Baking);
    assert_eq!(group_version(&world), "1");
    world.model.refresh_alarm(GROUP, "another", world.now);
    assert_eq!(status(&world), RefreshStatus::Baking);
    world.model.refresh_alarm(GROUP, "web-5xx", world.now);
    world.pass(60);
    assert_eq!(status(&world), RefreshStatus::RollbackSuccessful);
    assert_eq!(versions(&world), [1, 1]);

    start(&mut world, preferences());
    world.pass(700);
    assert_eq!(status(&world), RefreshStatus::Successful);
    assert_eq!(group_version(&world), "2");
}

#[test]
fn a_suspended_process_pauses_it() {
    for runs in [false, true] {
        let mut world = numbered(Settings { suspended_refresh_times_out: runs, ..settings() }, 4, 2);
        start(&mut world, quick());
        world.model.suspend_processes(GROUP, &["InstanceRefresh".to_owned()]).expect("a process");
        world.pass(4000);
        assert_eq!(versions(&world), [1, 1]);
        assert_eq!(status(&world) == RefreshStatus::Failed, runs);
        world.model.resume_processes(GROUP, &[], world.now).expect("a group");
        world.pass(60);
        assert_eq!(status(&world) == RefreshStatus::Successful, !runs);
    }
}

#[test]
fn unusable_preferences_are_refused() {
    let mut world = numbered(settings(), 4, 2);
    for preferences in [
        RefreshPreferences { min_healthy: 101, ..quick() },
        RefreshPreferences { max_healthy: Some(90), ..quick() },
        RefreshPreferences { min_healthy: 50, max_healthy: Some(200), ..quick() },
        RefreshPreferences { checkpoints: vec![50, 20], ..quick() },
    ] {
        let refused = world.model.start_instance_refresh(GROUP, to_second(preferences.clone()), world.now);
        assert_eq!(refused.expect_err("unusable").code, "ValidationError", "{preferences:?}");
    }
    assert!(world.model.instance_refreshes(GROUP).expect("it exists").is_empty());
}

#[test]
fn target_health_is_waited_for_where_the_group_listens_to_it() {
    for waits in [true, false] {
        let mut world = World::with(Settings { refresh_waits_for_targets: waits, ..settings() });
        world.template();
        let spec = GroupSpec {
            health_check_type: Some("ELB".to_owned()),
            template: Some((by_name(), Some("1".to_owned()))),
            grace: Some(Duration::from_mins(5)),
            ..GroupSpec::default()
        };
        let arn = world.balanced_group(2, 0, spec);
        second(&mut world);
        world.pass_all(&arn);
        start(&mut world, quick());
        world.pass(60);
        assert_eq!(versions(&world) == [1, 2], waits, "{:?}", versions(&world));
        world.pass_all(&arn);
        world.pass(10);
        world.pass_all(&arn);
        world.pass(10);
        assert_eq!(status(&world), RefreshStatus::Successful);
    }
}
