//! Instances.

use std::time::Duration;

use adf_local::model::ec2::{InstanceFilter, RunRequest};
use adf_local::model::templates::{LaunchData, MetadataRequest};
use adf_local::model::{InstanceState, Settings};

use crate::world::{World, launchable, settings};

fn run(world: &mut World, data: LaunchData, min: u32, max: u32) -> Result<usize, &'static str> {
    let request = RunRequest { data, min, max, ..RunRequest::default() };
    let before = world.model.instances().count();
    world.model.run_instances(&request, world.now).map_err(|error| error.code)?;
    Ok(world.model.instances().count() - before)
}

#[test]
fn an_instance_boots_runs_halts_and_is_forgotten() {
    let mut world = World::with(Settings { halt_limit: Duration::from_mins(1), ..settings() });
    run(&mut world, launchable(), 1, 1).expect("launchable");
    let id = world.model.instances().next().expect("one").id.clone();
    let state = |world: &World| world.model.instance(&id).map(|it| it.state);
    assert_eq!(state(&world), Some(InstanceState::Pending));
    assert_eq!(world.model.next_wake(), Some(world.now + Duration::from_secs(1)), "it boots in a second");
    world.pass(1);
    assert_eq!(state(&world), Some(InstanceState::Running));
    let address = world.model.instance(&id).expect("it exists").private_ip;
    world.model.terminate_instances(std::slice::from_ref(&id), world.now).expect("it exists");
    world.pass(5);
    assert_eq!(state(&world), Some(InstanceState::ShuttingDown), "its machine still runs");
    assert!(world.model.instance_at(address).is_some());
    world.model.instance_halted(&id, world.now);
    assert_eq!(state(&world), Some(InstanceState::Terminated));
    assert!(world.model.instance_at(address).is_none());
    world.pass(3599);
    assert_eq!(state(&world), Some(InstanceState::Terminated), "seen for an hour");
    world.pass(120);
    assert_eq!(state(&world), None);
    assert_eq!(world.model.next_wake(), None);
}

#[test]
fn counts_are_all_or_nothing_up_to_max() {
    let mut world = World::with(Settings { subnet_prefix: 28, ..settings() });
    assert_eq!(run(&mut world, launchable(), 12, 20), Err("InsufficientFreeAddressesInSubnet"));
    assert_eq!(run(&mut world, launchable(), 5, 20), Ok(11), "a /28 has room for eleven");
    assert_eq!(run(&mut world, launchable(), 0, 1), Err("InvalidParameterValue"));
    assert_eq!(run(&mut world, launchable(), 2, 1), Err("InvalidParameterValue"));
}

#[test]
fn a_launch_that_cannot_be_is_refused_before_anything_starts() {
    let mut world = World::new();
    let with_user_data = |text: String| LaunchData { user_data: Some(text), ..launchable() };
    for (data, code) in [
        (LaunchData::default(), "MissingParameter"),
        (LaunchData { image_id: Some("ami-1".to_owned()), ..LaunchData::default() }, "InvalidAMIID.NotFound"),
        (with_user_data("%%%".to_owned()), "InvalidParameterValue"),
        (with_user_data("QUJD".repeat(5462)), "InvalidParameterValue"),
    ] {
        assert_eq!(run(&mut world, data, 1, 1), Err(code));
    }
    assert_eq!(world.model.instances().count(), 0);
    run(&mut world, with_user_data("QUJD".repeat(5461)), 1, 1).expect("16 KB less a byte");
    let held = world.model.instances().next().expect("one").user_data.as_ref().map(Vec::len);
    assert_eq!(held, Some(16_383));
}

#[test]
fn tags_that_imds_serves_must_be_paths_and_awss_own_are_not_ours() {
    let mut world = World::new();
    let id = world.lone_instance();
    let served = LaunchData {
        metadata: Some(MetadataRequest {
            instance_tags: Some("enabled".to_owned()),
            ..MetadataRequest::default()
        }),
        ..launchable()
    };
    run(&mut world, served, 1, 1).expect("launchable");
    let serving = world.model.instances().find(|it| it.metadata.tags_enabled).expect("the second").id.clone();
    let tag = |key: &str| [(key.to_owned(), "v".to_owned())].into();
    world.model.create_tags(std::slice::from_ref(&id), &tag("a b")).expect("nobody serves it");
    world.model.create_tags(std::slice::from_ref(&serving), &tag("adf:app")).expect("a path");
    assert!(world.model.create_tags(&[id.clone(), serving], &tag("a/b")).is_err(), "all or none");
    assert!(!world.model.instance(&id).expect("it exists").tags.contains_key("a/b"));
    assert!(world.model.create_tags(&[id], &tag("aws:x")).is_err());
}

#[test]
fn one_unknown_id_fails_the_whole_call() {
    let mut world = World::new();
    let id = world.lone_instance();
    let refusal = world.model.terminate_instances(&[id.clone(), "i-1".to_owned()], world.now);
    let refusal = refusal.expect_err("i-1 is unknown");
    assert_eq!(
        (refusal.code, refusal.message.as_str()),
        ("InvalidInstanceID.NotFound", "The instance ID 'i-1' does not exist")
    );
    assert_eq!(world.model.instance(&id).expect("it exists").state, InstanceState::Running);
    world.model.terminate_instances(std::slice::from_ref(&id), world.now).expect("it exists");
    world.model.terminate_instances(&[id], world.now).expect("terminating twice is fine");
}

#[test]
fn a_reboot_is_seen_by_the_runner_and_only_while_running() {
    let mut world = World::new();
    let id = world.lone_instance();
    world.model.reboot_instances(std::slice::from_ref(&id)).expect("it exists");
    assert_eq!(world.model.instance(&id).expect("it exists").boots, 2);
    world.model.terminate_instances(std::slice::from_ref(&id), world.now).expect("it exists");
    world.model.reboot_instances(std::slice::from_ref(&id)).expect("ignored");
    assert_eq!(world.model.instance(&id).expect("it exists").boots, 2);
}

#[test]
fn the_console_keeps_the_last_64_kb_of_whole_characters() {
    let mut world = World::new();
    let id = world.lone_instance();
    world.model.set_console_output(&id, format!("{}the end", "ü".repeat(40_000)), world.now);
    let (text, _) = world.model.console_output(&id).expect("it exists");
    assert!(text.len() <= 64 * 1024 && text.len() > 64 * 1024 - 2, "{}", text.len());
    assert!(text.starts_with('ü') && text.ends_with("the end"));
}

#[test]
fn filters_narrow_and_unknown_ones_are_refused() {
    let mut world = World::new();
    let id = world.lone_instance();
    world.lone_instance();
    world
        .model
        .create_tags(std::slice::from_ref(&id), &[("adf:app".to_owned(), "web".to_owned())].into())
        .expect("it");
    let found = |name: &str, values: &[&str]| {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        let filter = InstanceFilter { name: name.to_owned(), values };
        world.model.find_instances(&[], &[filter]).map(|found| found.len())
    };
    assert_eq!(found("tag:adf:app", &["web"]), Ok(1));
    assert_eq!(found("tag:adf:app", &["w?b*"]), Ok(1));
    assert_eq!(found("tag:adf:app", &["we"]), Ok(0));
    assert_eq!(found("tag-key", &["adf:app", "other"]), Ok(1));
    assert_eq!(found("instance-state-name", &["running", "pending"]), Ok(2));
    assert_eq!(found("private-ip-address", &["127.77.9.9"]), Ok(0));
    assert_eq!(found("instance-status", &["x"]).expect_err("no such filter").code, "InvalidParameterValue");
}

#[test]
fn an_address_is_not_given_again_while_others_are_free() {
    let mut world = World::new();
    let first = world.lone_instance();
    let address = world.model.instance(&first).expect("it exists").private_ip;
    world.model.terminate_instances(&[first], world.now).expect("it exists");
    world.pass(5);
    let next = world.lone_instance();
    assert_ne!(world.model.instance(&next).expect("it exists").private_ip, address);
}

#[test]
fn a_spot_interruption_ends_the_instance_after_its_two_minutes_and_a_recommendation_does_not() {
    let mut world = World::new();
    let [recommended, interrupted] = [world.lone_instance(), world.lone_instance()];
    world.model.recommend_rebalance(&recommended, world.now).expect("it exists");
    world.model.interrupt_spot(&interrupted, world.now).expect("it exists");
    world.model.interrupt_spot(&interrupted, world.now).expect("once more is the same");
    let states = |world: &World| {
        [&recommended, &interrupted].map(|id| world.model.instance(id).expect("it is still shown").state)
    };
    world.pass(119);
    assert_eq!(states(&world), [InstanceState::Running; 2]);
    world.pass(1);
    assert_eq!(states(&world), [InstanceState::Running, InstanceState::ShuttingDown]);
    assert!(world.model.interrupt_spot("i-0", world.now).is_err());
}
