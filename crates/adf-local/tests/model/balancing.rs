//! Target groups: states, reasons, thresholds, and who may be sent a request.

use adf_local::model::groups::GroupSpec;
use adf_local::model::targets::HealthCheckRequest;
use adf_local::model::{Matcher, Probe, ProbeFailure, Settings, TargetState};

use crate::world::{World, settings, target};

fn reason(world: &World, arn: &str, id: &str) -> Option<&'static str> {
    world.model.target_health(arn, &target(id)).expect("the target group exists").reason
}

#[test]
fn a_target_goes_through_its_states_with_their_reasons() {
    let mut world = World::new();
    let arn = world.target_group(60);
    let id = world.lone_instance();
    assert_eq!(reason(&world, &arn, &id), Some("Target.NotRegistered"));
    world.model.register_targets(&arn, &[target(&id)], world.now).expect("it runs");
    assert_eq!(reason(&world, &arn, &id), Some("Elb.RegistrationInProgress"));
    world.probe(&arn, &id, Probe::Failed { reason: ProbeFailure::ResponseCode(503) });
    assert_eq!(reason(&world, &arn, &id), Some("Elb.InitialHealthChecking"));
    world.probe(&arn, &id, Probe::Failed { reason: ProbeFailure::ResponseCode(503) });
    assert_eq!(reason(&world, &arn, &id), Some("Target.ResponseCodeMismatch"));
    for _ in 0..4 {
        world.probe(&arn, &id, Probe::Passed);
        assert_eq!(world.health(&arn, &id), TargetState::Unhealthy, "five passes in a row are needed");
    }
    world.probe(&arn, &id, Probe::Passed);
    assert_eq!((world.health(&arn, &id), reason(&world, &arn, &id)), (TargetState::Healthy, None));
    world.model.deregister_targets(&arn, &[(id.clone(), None)], world.now).expect("registered");
    assert_eq!(reason(&world, &arn, &id), Some("Target.DeregistrationInProgress"));
    world.pass(60);
    assert_eq!(reason(&world, &arn, &id), Some("Target.NotRegistered"));
    world.model.deregister_targets(&arn, &[(id, None)], world.now).expect("an absent target is fine");
}

#[test]
fn a_new_target_needs_one_pass_or_the_threshold() {
    for (first_pass_is_healthy, passes) in [(true, 1), (false, 5)] {
        let mut world = World::with(Settings { first_pass_is_healthy, ..settings() });
        let arn = world.balanced_group(1, 0, GroupSpec::default());
        let id = world.in_service().remove(0);
        for _ in 1..passes {
            world.probe(&arn, &id, Probe::Passed);
            assert_eq!(world.health(&arn, &id), TargetState::Initial);
        }
        world.probe(&arn, &id, Probe::Passed);
        assert_eq!(world.health(&arn, &id), TargetState::Healthy);
    }
}

#[test]
fn one_failure_between_passes_changes_nothing() {
    let mut world = World::new();
    let arn = world.balanced_group(1, 0, GroupSpec::default());
    let id = world.in_service().remove(0);
    for _ in 0..20 {
        world.probe(&arn, &id, Probe::Passed);
        world.probe(&arn, &id, Probe::Failed { reason: ProbeFailure::Timeout });
        assert_eq!(world.health(&arn, &id), TargetState::Healthy);
    }
}

#[test]
fn without_a_listener_targets_are_unused_unchecked_and_gone_at_once() {
    let mut world = World::new();
    let arn = world.target_group(300);
    let id = world.lone_instance();
    world.model.register_targets(&arn, &[target(&id)], world.now).expect("it runs");
    let listener = world.model.listeners().next().expect("there is one").arn.clone();
    world.model.delete_listener(&listener).expect("it exists");
    assert_eq!(reason(&world, &arn, &id), Some("Target.NotInUse"));
    assert!(world.model.checked_targets(&arn).is_empty());
    world.probe(&arn, &id, Probe::Passed);
    assert!(world.model.routable(&arn).is_empty());
    world.model.deregister_targets(&arn, &[(id.clone(), None)], world.now).expect("registered");
    world.pass(0);
    assert_eq!(reason(&world, &arn, &id), Some("Target.NotRegistered"));
    world.model.delete_target_group(&arn).expect("nothing uses it");
}

#[test]
fn only_running_instances_are_registered_all_or_none() {
    let mut world = World::new();
    let arn = world.target_group(0);
    let (alive, dead) = (world.lone_instance(), world.lone_instance());
    world.model.terminate_instances(std::slice::from_ref(&dead), world.now).expect("it exists");
    world.pass(5);
    let refusal = world.model.register_targets(&arn, &[target(&alive), target(&dead)], world.now);
    let refusal = refusal.expect_err("one does not run");
    assert_eq!(refusal.code, "InvalidTarget");
    assert!(refusal.message.contains(&dead) && !refusal.message.contains(&alive), "{refusal}");
    assert_eq!(reason(&world, &arn, &alive), Some("Target.NotRegistered"));
}

#[test]
fn a_target_whose_instance_died_is_unused_and_not_routed_to() {
    let mut world = World::new();
    let arn = world.target_group(0);
    let id = world.lone_instance();
    world.model.register_targets(&arn, &[target(&id)], world.now).expect("it runs");
    world.probe(&arn, &id, Probe::Passed);
    assert_eq!(world.model.routable(&arn).len(), 1);
    world.model.terminate_instances(std::slice::from_ref(&id), world.now).expect("it exists");
    world.pass(5);
    assert_eq!(reason(&world, &arn, &id), Some("Target.InvalidState"));
    assert!(world.model.routable(&arn).is_empty());
}

#[test]
fn registering_again_while_draining_starts_anew() {
    let mut world = World::new();
    let arn = world.target_group(60);
    let id = world.lone_instance();
    world.model.register_targets(&arn, &[target(&id)], world.now).expect("it runs");
    world.probe(&arn, &id, Probe::Passed);
    world.model.deregister_targets(&arn, &[(id.clone(), None)], world.now).expect("registered");
    world.pass(30);
    world.model.register_targets(&arn, &[target(&id)], world.now).expect("it runs");
    assert_eq!(world.health(&arn, &id), TargetState::Initial);
    world.pass(60);
    assert_eq!(
        world.health(&arn, &id),
        TargetState::Initial,
        "the old drain does not end the new registration"
    );
}

#[test]
fn matchers_are_lists_of_statuses_and_ranges() {
    let matcher = Matcher::parse("200,202-204,301").expect("valid");
    for (status, passes) in [(200, true), (201, false), (203, true), (301, true), (302, false)] {
        assert_eq!(matcher.matches(status), passes, "{status}");
    }
    for text in ["", "abc", "200-", "199", "500", "200 202"] {
        assert_eq!(Matcher::parse(text), None, "{text}");
    }
}

#[test]
fn health_check_settings_outside_awss_bounds_are_refused() {
    let mut world = World::new();
    let arn = world.target_group(0);
    let refused = [
        HealthCheckRequest { interval: Some(4), ..HealthCheckRequest::default() },
        HealthCheckRequest { interval: Some(5), ..HealthCheckRequest::default() },
        HealthCheckRequest { timeout: Some(121), ..HealthCheckRequest::default() },
        HealthCheckRequest { healthy_threshold: Some(1), ..HealthCheckRequest::default() },
        HealthCheckRequest { unhealthy_threshold: Some(11), ..HealthCheckRequest::default() },
        HealthCheckRequest { matcher: Some("teapot".to_owned()), ..HealthCheckRequest::default() },
        HealthCheckRequest { port: Some("http".to_owned()), ..HealthCheckRequest::default() },
    ];
    for request in refused {
        let text = format!("{request:?}");
        assert_eq!(world.model.modify_target_group(&arn, request).expect_err(&text).code, "ValidationError");
    }
    let fine = HealthCheckRequest { interval: Some(5), timeout: Some(4), ..HealthCheckRequest::default() };
    world.model.modify_target_group(&arn, fine).expect("within the bounds");
}
