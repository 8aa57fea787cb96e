//! Whatever happens, a deploy ends in a defined release and the fleet is never too small through our doing.

use proptest::prelude::*;

use super::promises::{HOURS, defined_end};
use super::simulator::{Simulator, Trouble};
use super::*;

fn calm() -> Trouble {
    Trouble {
        seed: 7,
        fleet: 3,
        boot_failures: 0,
        ill_in_watch: None,
        rollback_at: None,
        crashes: 0,
        scale_out_at: None,
        scale_in_at: None,
        old_dies_at: None,
        standby_dies: false,
        surge: Surge::ALL,
        tight: false,
        pause: None,
        promote_at: None,
    }
}

fn ends(trouble: &Trouble) -> DeployRecord {
    let (record, fleet) = Simulator::new(trouble.clone()).run();
    defined_end(trouble, &record, &fleet);
    let last = record.log.last().expect("something was done");
    assert!(last.started_at < super::at(HOURS.as_secs()), "it took too long");
    record
}

#[test]
fn a_calm_world_ends_in_success() {
    assert_eq!(ends(&calm()).outcome, Some(adf_types::Outcome::Succeeded));
}

#[test]
fn an_ill_instance_in_the_watch_rolls_back_once() {
    let record = ends(&Trouble { ill_in_watch: Some(5), ..calm() });
    assert!(matches!(record.outcome, Some(adf_types::Outcome::RolledBack { .. })));
    let turns = record.log.iter().filter(|e| e.intent.starts_with(crate::deploy::plan::TURN_BACK));
    assert_eq!(turns.count(), 1);
}

prop_compose! {
    fn troubles()(
        seed in 1..u64::MAX,
        fleet in 1..25_u32,
        boot_failures in prop_oneof![Just(0), Just(2), 5..60_u64],
        ill_in_watch in proptest::option::of(0..60_u64),
        rollback_at in proptest::option::of(1..250_u64),
        crashes in prop_oneof![Just(0), 1..40_u64],
        scale_out_at in proptest::option::of(1..250_u64),
        scale_in_at in proptest::option::of(1..250_u64),
        old_dies_at in proptest::option::of(1..250_u64),
        standby_dies in any::<bool>(),
        surge in prop_oneof![Just("100%"), Just("1%"), Just("25%"), Just("50%")],
        tight in any::<bool>(),
        pause in proptest::option::of((1..250_u64, 1..400_u64)),
        promote_at in proptest::option::of(1..250_u64),
    ) -> Trouble {
        let surge = surge.parse().expect("a share");
        Trouble {
            seed, fleet, boot_failures, ill_in_watch, rollback_at, crashes, scale_out_at, scale_in_at,
            old_dies_at,
            standby_dies, surge, tight, pause, promote_at,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2048, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_deploy_ends_in_a_defined_release_with_the_fleet_never_too_small(trouble in troubles()) {
        ends(&trouble);
    }
}
