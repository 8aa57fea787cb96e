//! Weather: failing launches, uneven zones, impaired machines, reads that lag, calls that are refused.

use std::collections::BTreeMap;
use std::time::Duration;

use adf_local::model::ec2::RunRequest;
use adf_local::model::groups::{GroupSpec, NewGroup};
use adf_local::model::weather::{ApiFamily, LaunchFault, ThrottleForm, Throttling};
use adf_local::model::{InstanceState, LifecycleState, Settings, Weather};

use crate::world::{GROUP, World, launchable, settings};

fn with(weather: Weather) -> World {
    World::with(Settings { weather, ..settings() })
}

fn by_zone(world: &World) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for id in world.in_service() {
        *counts.entry(world.model.instance(&id).expect("it exists").zone.clone()).or_default() += 1;
    }
    counts
}

fn zone(world: &World, index: usize) -> String {
    world.model.network().subnets[index].zone.clone()
}

#[test]
fn a_zone_without_capacity_is_avoided_and_named_when_it_is_asked_for() {
    let mut world = World::new();
    let bad = zone(&world, 0);
    let until = world.now + Duration::from_mins(5);
    world.model.fail_launches(Some(&bad), LaunchFault::InsufficientCapacity, until);
    world.group(0, 9, 4);
    assert_eq!(world.in_service().len(), 4);
    assert!(!by_zone(&world).contains_key(&bad));

    let mut request = RunRequest { data: launchable(), min: 1, max: 1, ..RunRequest::default() };
    world.model.run_instances(&request, world.now).expect("another zone has capacity");
    request.data.zone = Some(bad.clone());
    let refusal = world.model.run_instances(&request, world.now).expect_err("that zone has none");
    assert_eq!(refusal.code, "InsufficientInstanceCapacity");
    assert!(refusal.message.contains(&bad));
    world.pass(400);
    world.model.run_instances(&request, world.now).expect("the fault is over");
}

#[test]
fn a_group_records_launches_that_fail_everywhere_and_recovers() {
    let mut world = World::new();
    let until = world.now + Duration::from_mins(10);
    world.model.fail_launches(None, LaunchFault::VcpuLimit, until);
    world.group(0, 9, 2);
    world.pass(60);
    assert!(world.in_service().is_empty());
    let activities = world.model.activities(Some(GROUP));
    assert!(activities.len() > 1, "it tries again");
    for activity in activities {
        assert_eq!(activity.status.name(), "Failed");
        let message = activity.message.as_deref().expect("why");
        assert!(message.contains("vCPU") && message.ends_with("Launching EC2 instance failed."), "{message}");
    }
    world.model.end_launch_faults();
    world.pass(60);
    assert_eq!(world.in_service().len(), 2);
}

#[test]
fn an_image_that_is_gone_fails_launches_and_spares_what_runs() {
    let mut world = World::new();
    world.group(0, 9, 1);
    world.model.deregister_image(crate::world::IMAGE);
    world.desire(2);
    world.pass(60);
    assert_eq!(world.in_service().len(), 1);
    let last = world.model.activities(Some(GROUP))[0].message.clone().expect("it failed");
    assert!(last.contains("does not exist"), "{last}");
}

#[test]
fn a_share_of_launches_fails_by_chance_and_the_group_gets_there() {
    let mut world = with(Weather { launch_failures: 60, ..Weather::default() });
    world.group(0, 20, 12);
    world.pass(1200);
    assert_eq!(world.in_service().len(), 12);
    let failed = world.model.activities(Some(GROUP)).into_iter().filter(|it| it.status.name() == "Failed");
    assert!(failed.count() > 0);
}

#[test]
fn uneven_zones_are_evened_out_by_launching_first() {
    let mut world = World::new();
    let bad = zone(&world, 0);
    world.model.fail_launches(
        Some(&bad),
        LaunchFault::InsufficientCapacity,
        world.now + Duration::from_mins(1),
    );
    world.group(0, 40, 6);
    world.pass(60);
    assert_eq!(world.model.rebalance_zones(GROUP, None, world.now), Ok(2));
    let mut fewest = usize::MAX;
    for _ in 0..30 {
        world.pass(1);
        fewest = fewest.min(world.in_service().len());
    }
    assert_eq!(fewest, 6, "nobody goes before another has come");
    assert_eq!(by_zone(&world).values().copied().collect::<Vec<_>>(), [2, 2, 2]);
    assert_eq!(world.model.rebalance_zones(GROUP, None, world.now), Ok(0), "they are even");
}

#[test]
fn a_rebalance_passes_the_maximum_by_a_tenth_or_by_one() {
    for (max, beyond) in [(4, 1), (20, 2)] {
        let mut world = World::new();
        world.group(0, max, max);
        let left = zone(&world, 1);
        let moved = world.model.rebalance_zones(GROUP, Some(&left), world.now).expect("a group");
        assert_eq!(moved, beyond);
        let mut most = 0;
        for _ in 0..30 {
            world.pass(1);
            most = most.max(world.model.counting(GROUP));
        }
        assert_eq!((most, world.model.counting(GROUP)), (max + beyond, max));
    }
}

#[test]
fn whether_a_rebalance_spares_protected_members_is_a_choice() {
    for respects in [true, false] {
        let mut world = World::with(Settings { rebalance_respects_protection: respects, ..settings() });
        world.group(0, 12, 3);
        let old = world.in_service();
        world.model.set_instance_protection(GROUP, &old, true, world.now).expect("in service");
        let left = zone(&world, 1);
        assert_eq!(world.model.rebalance_zones(GROUP, Some(&left), world.now), Ok(1));
        world.pass(30);
        let kept = old.iter().all(|id| world.in_service().contains(id));
        assert_eq!(kept, respects);
    }
}

#[test]
fn a_suspended_rebalance_does_nothing() {
    let mut world = World::new();
    world.group(0, 4, 3);
    world.model.suspend_processes(GROUP, &["AZRebalance".to_owned()]).expect("a process");
    let left = zone(&world, 0);
    assert_eq!(world.model.rebalance_zones(GROUP, Some(&left), world.now), Ok(0));
}

#[test]
fn an_impaired_member_is_replaced_after_a_while_unless_it_recovers() {
    let mut world = World::new();
    world.group(0, 4, 2);
    let ids = world.in_service();
    for id in &ids {
        world.model.set_status_check(id, false, world.now).expect("it exists");
    }
    world.pass(60);
    world.model.set_status_check(&ids[1], true, world.now).expect("it exists");
    world.pass(115);
    assert_eq!(world.in_service().len(), 2, "minutes, not at once");
    world.pass(60);
    assert!(!world.in_service().contains(&ids[0]));
    assert!(world.in_service().contains(&ids[1]));
}

#[test]
fn reads_show_a_state_of_a_while_ago_and_never_the_future() {
    let mut world = with(Weather { describe_lag: Duration::from_secs(10), ..Weather::default() });
    world.group(0, 9, 1);
    for desired in 2..9 {
        world.desire(desired);
        world.pass(5);
    }
    let (mut least, mut most) = (u32::MAX, 0);
    for _ in 0..200 {
        let now = world.now;
        let seen =
            world.model.seen(now).map_or(world.desired(), |past| past.group(GROUP).expect("it").desired);
        (least, most) = (least.min(seen), most.max(seen));
    }
    assert!((6..=7).contains(&least), "ten seconds are two steps: {least}");
    assert_eq!(most, 8);
    world.pass(60);
    let now = world.now;
    for _ in 0..50 {
        let seen =
            world.model.seen(now).map_or(world.desired(), |past| past.group(GROUP).expect("it").desired);
        assert_eq!(seen, 8, "what is old enough is seen by everybody");
    }
}

#[test]
fn an_instance_may_be_unknown_just_after_its_launch() {
    let mut world = with(Weather { describe_lag: Duration::from_secs(5), ..Weather::default() });
    world.pass(10);
    let request = RunRequest { data: launchable(), min: 1, max: 1, ..RunRequest::default() };
    world.model.run_instances(&request, world.now).expect("launchable");
    let id = world.model.instances().next().expect("launched").id.clone();
    world.pass(1);
    let now = world.now;
    let answers: Vec<bool> = (0..100)
        .map(|_| {
            let past = world.model.seen(now);
            past.as_ref().unwrap_or(&world.model).existing_instance(&id).is_ok()
        })
        .collect();
    assert!(answers.contains(&true) && answers.contains(&false), "known to some reads only");
}

#[test]
fn calm_weather_reads_the_present() {
    let mut world = World::new();
    world.group(0, 9, 1);
    assert!(world.model.seen(world.now).is_none());
}

#[test]
fn buckets_refuse_what_is_too_much_and_refill() {
    let throttling = Throttling { buckets: true, ..Throttling::default() };
    let mut world = with(Weather { throttling, ..Weather::default() });
    let mut run = |seconds: u64, count: u64| {
        world.now += Duration::from_secs(seconds);
        let now = world.now;
        (0..count)
            .filter(|_| world.model.admit(ApiFamily::Ec2, "RunInstances", 1, false, now).is_ok())
            .count()
    };
    assert_eq!(run(0, 10), 5, "the bucket holds five");
    assert_eq!(run(1, 10), 2, "and gets two a second");
    assert_eq!(run(3600, 10), 5, "and never more than five");
    let now = world.now;
    let refusal = world.model.admit(ApiFamily::Ec2, "RunInstances", 1, false, now).expect_err("empty");
    assert_eq!((refusal.code, refusal.status), ("RequestLimitExceeded", 503));
    world.model.admit(ApiFamily::Ec2, "DescribeInstances", 0, false, now).expect("another bucket");
    let big = world.model.admit(ApiFamily::Ec2, "TerminateInstances", 1001, false, now);
    assert!(big.is_err(), "instances are counted, too");
}

#[test]
fn all_auto_scaling_calls_share_one_bucket() {
    let throttling = Throttling { buckets: true, auto_scaling: (3, 1), ..Throttling::default() };
    let mut world = with(Weather { throttling, ..Weather::default() });
    let now = world.now;
    for action in ["DescribeAutoScalingGroups", "SetDesiredCapacity", "CompleteLifecycleAction"] {
        world.model.admit(ApiFamily::AutoScaling, action, 0, false, now).expect("three are free");
    }
    let refusal =
        world.model.admit(ApiFamily::AutoScaling, "EnterStandby", 0, false, now).expect_err("empty");
    assert_eq!((refusal.code, refusal.message.as_str()), ("Throttling", "Rate exceeded"));
}

#[test]
fn a_share_of_calls_is_refused_in_the_words_that_were_chosen() {
    for (form, code) in [
        (ThrottleForm::Usual, "Throttling"),
        (ThrottleForm::ValidationError, "ValidationError"),
        (ThrottleForm::ValidationException, "ValidationException"),
    ] {
        let throttling = Throttling { refused: 30, form, ..Throttling::default() };
        let mut world = with(Weather { throttling, ..Weather::default() });
        let now = world.now;
        let refusals: Vec<_> = (0..1000)
            .filter_map(|_| world.model.admit(ApiFamily::Elb, "DescribeTargetHealth", 0, false, now).err())
            .collect();
        assert!((250..350).contains(&refusals.len()), "{}", refusals.len());
        assert!(refusals.iter().all(|it| it.code == code && it.message == "Rate exceeded"));
    }
}

#[test]
fn boots_and_reactions_vary_and_the_same_seed_replays_them() {
    let weather = Weather {
        boot_jitter: Duration::from_secs(20),
        slow_boots: 20,
        reaction_jitter: Duration::from_secs(10),
        launch_failures: 10,
        ..Weather::default()
    };
    let history = || {
        let mut world = with(weather.clone());
        world.group_with(0, 20, 10, NewGroup { spec: GroupSpec::default(), ..NewGroup::default() });
        (0..100)
            .map(|_| {
                world.pass(1);
                let running = world.model.instances().filter(|it| it.state == InstanceState::Running).count();
                (running, world.members(LifecycleState::InService))
            })
            .collect::<Vec<_>>()
    };
    let first = history();
    let steps = first.windows(2).filter(|pair| pair[0].0 != pair[1].0).count();
    assert!(steps > 3, "they do not all boot at once");
    assert_eq!(first.last().expect("a hundred").0, 10);
    assert_eq!(first, history());
}
