//! Health in a group's eyes.

use std::time::Duration;

use adf_local::model::groups::GroupSpec;
use adf_local::model::{InstanceState, LifecycleState};

use crate::world::{GROUP, World};

fn elb(grace: u64) -> GroupSpec {
    GroupSpec {
        health_check_type: Some("ELB".to_owned()),
        grace: Some(Duration::from_secs(grace)),
        ..GroupSpec::default()
    }
}

#[test]
fn an_instance_that_ec2_terminated_is_replaced_even_in_grace() {
    let mut world = World::new();
    world.balanced_group(2, 0, elb(3600));
    let id = world.in_service().remove(0);
    world.model.terminate_instances(std::slice::from_ref(&id), world.now).expect("it exists");
    world.pass(10);
    assert_eq!(world.state(&id), None);
    assert_eq!(world.in_service().len(), 2);
}

#[test]
fn a_failed_target_is_replaced_after_grace_when_the_group_listens() {
    let mut world = World::new();
    let arn = world.balanced_group(2, 0, elb(100));
    let id = world.in_service().remove(0);
    world.pass_all(&arn);
    world.fail(&arn, &id);
    world.pass(80);
    assert_eq!(world.state(&id), Some(LifecycleState::InService), "grace");
    world.pass(30);
    assert_eq!(world.state(&id), None, "replaced after it");
    assert_eq!(world.in_service().len(), 2);
}

#[test]
fn a_failed_target_is_kept_when_the_group_looks_at_ec2_only() {
    let mut world = World::new();
    let arn = world.balanced_group(1, 0, GroupSpec::default());
    let id = world.in_service().remove(0);
    world.fail(&arn, &id);
    world.pass(3600);
    assert_eq!(world.in_service(), [id]);
}

#[test]
fn a_target_group_attached_later_counts_only_once_a_target_has_passed() {
    let mut world = World::new();
    let arn = world.target_group(0);
    world.group_with(0, 5, 2, adf_local::model::groups::NewGroup { spec: elb(0), ..Default::default() });
    world.model.attach_target_groups(GROUP, std::slice::from_ref(&arn), world.now).expect("it exists");
    let ids = world.in_service();
    world.fail(&arn, &ids[0]);
    world.pass(60);
    assert_eq!(world.in_service(), ids, "a group that never passed is not terminated");
    world.probe(&arn, &ids[1], adf_local::model::Probe::Passed);
    world.model.set_instance_health(&ids[1], true, true, world.now).expect("a member");
    world.fail(&arn, &ids[1]);
    world.pass(60);
    assert!(!world.in_service().contains(&ids[1]));
}

#[test]
fn failed_targets_are_replaced_one_by_one() {
    let mut world = World::new();
    let arn = world.balanced_group(4, 0, elb(0));
    world.pass_all(&arn);
    let ids = world.in_service();
    for id in &ids {
        world.fail(&arn, id);
    }
    world.pass(1);
    let leaving = ids.iter().filter(|id| world.state(id) != Some(LifecycleState::InService)).count();
    assert!(leaving <= 2, "{leaving} of 4 left together");
    world.pass(300);
    assert!(world.in_service().iter().all(|id| !ids.contains(id)), "all are replaced in the end");
    assert_eq!(world.in_service().len(), 4);
}

#[test]
fn reported_health_respects_grace_unless_told_not_to() {
    let mut world = World::new();
    world.balanced_group(1, 0, elb(100));
    let id = world.in_service().remove(0);
    world.model.set_instance_health(&id, false, true, world.now).expect("a member");
    world.pass(5);
    assert_eq!(world.in_service(), std::slice::from_ref(&id));
    world.model.set_instance_health(&id, false, false, world.now).expect("a member");
    world.pass(5);
    assert!(!world.in_service().contains(&id));
}

#[test]
fn what_is_unhealthy_while_replacing_is_suspended_is_replaced_on_resume() {
    let mut world = World::new();
    world.group(0, 2, 1);
    let id = world.in_service().remove(0);
    world.model.suspend_processes(GROUP, &["ReplaceUnhealthy".to_owned()]).expect("a process");
    world.model.set_instance_health(&id, false, true, world.now).expect("a member");
    world.pass(60);
    let member = world.model.instance(&id).expect("it exists").membership().expect("still a member");
    assert!(!member.healthy);
    world.model.resume_processes(GROUP, &["ReplaceUnhealthy".to_owned()], world.now).expect("a process");
    world.pass(10);
    assert_eq!(world.state(&id), None);
    assert_eq!(world.in_service().len(), 1);
}

#[test]
fn an_instance_that_dies_in_its_launch_hook_is_replaced() {
    let mut world = World::new();
    world.group(0, 2, 0);
    world.hook("LAUNCHING");
    world.desire(1);
    world.pass(5);
    let id = world.members(LifecycleState::PendingWait).remove(0);
    world.model.terminate_instances(std::slice::from_ref(&id), world.now).expect("it exists");
    world.pass(10);
    assert_eq!(world.model.instance(&id).expect("shown").state, InstanceState::Terminated);
    let waiting = world.members(LifecycleState::PendingWait);
    assert!(waiting.len() == 1 && waiting[0] != id);
}
