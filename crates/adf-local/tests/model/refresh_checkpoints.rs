//! Where an instance refresh pauses, and what it counts on when it is turned there.

use std::time::Duration;

use adf_local::model::Settings;
use adf_local::model::groups::{RefreshPreferences, RefreshStatus};

use crate::refresh::{latest, numbered, quick, start, status, versions};
use crate::world::{GROUP, settings};

#[test]
fn checkpoints_pause_and_a_last_one_below_a_hundred_ends_it() {
    let mut world = numbered(settings(), 10, 10);
    let delay = Duration::from_mins(30);
    start(&mut world, RefreshPreferences { checkpoints: vec![20, 50], checkpoint_delay: delay, ..quick() });
    world.pass(600);
    assert_eq!(versions(&world).iter().filter(|version| **version == 2).count(), 2);
    assert!(latest(&world).reason.as_deref().expect("it pauses").contains("20%"));
    world.pass(1500);
    assert_eq!(status(&world), RefreshStatus::Successful, "a partial refresh");
    assert_eq!(versions(&world).iter().filter(|version| **version == 2).count(), 5);
}

#[test]
fn the_last_checkpoint_is_waited_at_too_or_not() {
    for waits in [false, true] {
        let mut world = numbered(Settings { refresh_waits_at_last_checkpoint: waits, ..settings() }, 10, 2);
        let delay = Duration::from_mins(30);
        start(&mut world, RefreshPreferences { checkpoints: vec![100], checkpoint_delay: delay, ..quick() });
        world.pass(600);
        assert_eq!(versions(&world), [2, 2]);
        let meanwhile = if waits { RefreshStatus::InProgress } else { RefreshStatus::Successful };
        assert_eq!(status(&world), meanwhile);
        world.pass(1500);
        assert_eq!(status(&world), RefreshStatus::Successful);
    }
}

/// "In service, healthy, and ready to use", says `MinHealthyPercentage`: what was launched last is not ready yet.
#[test]
fn a_rollback_does_not_count_on_what_is_only_just_launched() {
    let mut world = numbered(settings(), 4, 2);
    let (min_healthy, max_healthy) = (100, Some(200));
    let warmup = Some(Duration::from_mins(2));
    let (checkpoints, checkpoint_delay) = (vec![50, 100], Duration::from_mins(1));
    let defaults = RefreshPreferences::default();
    let preferences =
        RefreshPreferences { min_healthy, max_healthy, warmup, checkpoints, checkpoint_delay, ..defaults };
    world.pass(600);
    start(&mut world, preferences);
    for _ in 0..600 {
        world.pass(1);
        if versions(&world) == [1, 2, 2] {
            break;
        }
    }
    assert_eq!(versions(&world), [1, 2, 2], "the second is in service, and not warm yet");
    world.model.rollback_instance_refresh(GROUP, world.now).expect("it has a desired configuration");
    world.pass(90);
    assert_eq!(versions(&world).iter().filter(|version| **version == 2).count(), 2);
    world.pass(900);
    assert_eq!((status(&world), versions(&world)), (RefreshStatus::RollbackSuccessful, vec![1, 1]));
}
