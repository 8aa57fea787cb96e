//! Capacity: what follows desired, who goes, and what is refused.

use std::collections::BTreeSet;

use adf_local::model::groups::{GroupSpec, GroupTag, NewGroup};
use adf_local::model::templates::LaunchData;
use adf_local::model::{InstanceState, LifecycleState, Settings};

use crate::world::{GROUP, World, by_name, settings};

fn zones(world: &World) -> BTreeSet<String> {
    world.in_service().iter().map(|id| world.model.instance(id).expect("it exists").zone.clone()).collect()
}

#[test]
fn instances_spread_over_the_zones_evenly() {
    let mut world = World::new();
    world.group(0, 9, 3);
    assert_eq!(zones(&world).len(), 3);
    world.desire(9);
    world.pass(10);
    for zone in zones(&world) {
        let here =
            world.in_service().iter().filter(|id| world.model.instance(id).expect("it").zone == zone).count();
        assert_eq!(here, 3, "{zone}");
    }
}

#[test]
fn a_full_zone_is_passed_over_and_a_full_network_is_tried_again() {
    // A /28 has 11 usable addresses, so three zones hold 33.
    let mut world = World::with(Settings { subnet_prefix: 28, ..settings() });
    world.group(0, 40, 34);
    assert_eq!(world.in_service().len(), 33);
    let failed = world.model.activities(Some(GROUP)).into_iter().find(|it| it.status.name() == "Failed");
    assert!(failed.is_some_and(|it| it.message.as_deref().unwrap_or_default().contains("free addresses")));
    world.desire(33);
    world.pass(60);
    let gone = world.in_service().remove(0);
    world.model.terminate_in_group(&gone, false, world.now).expect("a member");
    world.pass(120);
    assert_eq!(world.in_service().len(), 33, "a free address is found when it is tried again");
}

#[test]
fn the_oldest_version_goes_first_where_zones_are_balanced() {
    let mut world = World::new();
    world.group(0, 9, 3);
    let version = world.version(LaunchData::default());
    let spec = GroupSpec { template: Some((by_name(), Some(version.to_string()))), ..GroupSpec::default() };
    world.model.update_group(GROUP, &spec, world.now).expect("the version exists");
    let old = world.in_service();
    world.desire(6);
    world.pass(10);
    world.desire(3);
    world.pass(10);
    assert!(world.in_service().iter().all(|id| !old.contains(id)), "only the new version is left");
}

#[test]
fn balance_beats_age() {
    let mut world = World::new();
    world.group(0, 9, 3);
    let old = world.in_service();
    world.enter_standby(&old[..1], false).expect("in service");
    world.pass(10);
    // The replacement is in the zone of the one in standby, which then comes back: that zone has two.
    world.exit_standby(&old[..1]).expect("in standby");
    world.pass(10);
    assert_eq!(world.desired(), 4);
    world.desire(3);
    world.pass(10);
    assert_eq!(zones(&world).len(), 3, "the zone with two loses one");
}

#[test]
fn a_new_template_is_for_later_launches_only() {
    let mut world = World::new();
    world.group(0, 9, 1);
    let version =
        world.version(LaunchData { instance_type: Some("t3.large".to_owned()), ..LaunchData::default() });
    let spec = GroupSpec { template: Some((by_name(), Some(version.to_string()))), ..GroupSpec::default() };
    world.model.update_group(GROUP, &spec, world.now).expect("the version exists");
    world.pass(60);
    let types = |world: &World| -> BTreeSet<String> {
        world
            .in_service()
            .iter()
            .map(|id| world.model.instance(id).expect("it").instance_type.clone())
            .collect()
    };
    assert_eq!(types(&world), BTreeSet::from(["m1.small".to_owned()]));
    world.desire(2);
    world.pass(10);
    assert_eq!(types(&world).len(), 2);
}

#[test]
fn latest_is_resolved_at_each_launch() {
    let mut world = World::new();
    let spec = GroupSpec { template: Some((by_name(), Some("$Latest".to_owned()))), ..GroupSpec::default() };
    world.template();
    world.group_with(0, 9, 1, NewGroup { spec, ..NewGroup::default() });
    world.version(LaunchData::default());
    world.desire(2);
    world.pass(10);
    let versions: BTreeSet<u64> = world
        .in_service()
        .iter()
        .filter_map(|id| Some(world.model.instance(id)?.launch_template.as_ref()?.1))
        .collect();
    assert_eq!(versions, BTreeSet::from([1, 2]));
}

#[test]
fn sizes_follow_each_other_and_contradictions_are_refused() {
    let mut world = World::new();
    world.group(1, 4, 2);
    let update = |world: &mut World, min, max, desired| {
        let spec = GroupSpec { min, max, desired, ..GroupSpec::default() };
        world.model.update_group(GROUP, &spec, world.now)
    };
    update(&mut world, Some(3), None, None).expect("below max");
    assert_eq!(world.desired(), 3, "a higher min raises desired");
    update(&mut world, Some(1), Some(2), None).expect("above min");
    assert_eq!(world.desired(), 2, "a lower max lowers it");
    let refusal = update(&mut world, Some(4), Some(10), Some(2)).expect_err("2 is not between 4 and 10");
    assert_eq!(
        refusal.message,
        "Desired capacity:2 must be between the specified min size:4 and max size:10"
    );
    assert_eq!(world.model.group(GROUP).expect("it exists").min, 1, "a refused update changes nothing");
}

#[test]
fn terminating_below_min_is_refused_in_awss_words() {
    let mut world = World::new();
    world.group(1, 1, 1);
    let id = world.in_service().remove(0);
    let refusal = world.model.terminate_in_group(&id, true, world.now).expect_err("desired is min");
    assert_eq!(
        refusal.message,
        "Currently, desiredSize equals minSize (1). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size."
    );
    world.model.terminate_in_group(&id, false, world.now).expect("it is replaced");
    world.pass(10);
    assert_eq!(world.in_service().len(), 1);
}

#[test]
fn standby_needs_in_service_and_is_all_or_nothing() {
    let mut world = World::new();
    world.group(0, 4, 2);
    let ids = world.in_service();
    world.enter_standby(&ids[..1], true).expect("in service");
    world.pass(5);
    let refusal = world.enter_standby(&ids, true).expect_err("one is in standby already");
    assert_eq!(refusal.message, format!("The instance {} is not in InService.", ids[0]));
    assert_eq!(world.state(&ids[1]), Some(LifecycleState::InService));
    let too_many = vec![ids[1].clone(); 21];
    assert_eq!(world.enter_standby(&too_many, true).expect_err("21 ids").code, "ValidationError");
}

#[test]
fn suspended_processes_leave_the_difference_until_they_resume() {
    let mut world = World::new();
    world.group(0, 4, 1);
    world.model.suspend_processes(GROUP, &["Launch".to_owned()]).expect("a process");
    world.desire(3);
    world.pass(60);
    assert_eq!(world.in_service().len(), 1);
    let id = world.in_service().remove(0);
    world.enter_standby(std::slice::from_ref(&id), true).expect("entering works");
    world.pass(5);
    assert!(world.exit_standby(&[id]).is_err(), "exiting does not");
    world.model.resume_processes(GROUP, &[], world.now).expect("a group");
    world.pass(10);
    assert_eq!(world.in_service().len(), 2);
    let unknown = world.model.suspend_processes(GROUP, &["Lunch".to_owned()]);
    assert_eq!(unknown.expect_err("no process").code, "ValidationError");
}

#[test]
fn a_group_with_members_is_deleted_only_by_force() {
    let mut world = World::new();
    world.group(1, 2, 2);
    world.hook("TERMINATING");
    assert_eq!(
        world.model.delete_group(GROUP, false, world.now).expect_err("two members").code,
        "ResourceInUse"
    );
    world.model.delete_group(GROUP, true, world.now).expect("by force");
    world.pass(10);
    assert!(world.model.group(GROUP).is_none(), "no hook held it");
    let running = world.model.instances().filter(|it| it.state != InstanceState::Terminated);
    assert_eq!(running.count(), 0);
}

#[test]
fn tags_reach_instances_at_launch_when_they_propagate() {
    let mut world = World::new();
    let tag = |value: &str, propagate| GroupTag { value: value.to_owned(), propagate };
    let tags = [("a".to_owned(), tag("1", true)), ("b".to_owned(), tag("2", false))].into();
    world.group_with(0, 3, 1, NewGroup { tags, ..NewGroup::default() });
    let id = world.in_service().remove(0);
    let held = &world.model.instance(&id).expect("it exists").tags;
    assert_eq!(held.get("a").map(String::as_str), Some("1"));
    assert_eq!(held.get("b"), None);
    assert_eq!(held.get("aws:autoscaling:groupName").map(String::as_str), Some(GROUP));
    assert_eq!(held.get("aws:ec2launchtemplate:version").map(String::as_str), Some("1"));
}

#[test]
fn attaching_needs_a_free_running_instance_and_room() {
    let mut world = World::new();
    world.group(0, 2, 1);
    let id = world.lone_instance();
    let member = world.in_service();
    assert!(world.model.attach_instances(GROUP, &member, world.now).is_err(), "it is in the group already");
    world.model.attach_instances(GROUP, std::slice::from_ref(&id), world.now).expect("running and free");
    world.pass(5);
    assert_eq!((world.desired(), world.state(&id)), (2, Some(LifecycleState::InService)));
    let another = world.lone_instance();
    assert!(world.model.attach_instances(GROUP, &[another], world.now).is_err(), "max is reached");
}

#[test]
fn cooldown_holds_only_those_who_honor_it() {
    let mut world = World::new();
    world.group(0, 5, 1);
    let refusal = world.model.set_desired_capacity(GROUP, 2, true, world.now).expect_err("300 s of cooldown");
    assert_eq!(refusal.code, "ScalingActivityInProgress");
    world.pass(300);
    world.model.set_desired_capacity(GROUP, 2, true, world.now).expect("it is over");
}
