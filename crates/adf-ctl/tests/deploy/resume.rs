//! Drivers that die: whoever comes next ends the deploy, and nothing is left over.

use std::time::Duration;

use adf_ctl::deploy::Ended;
use adf_types::Outcome;
use tokio::time::sleep;

use crate::fuse::Fuse;
use crate::world::World;

/// A deploy's driver loses its connection for ever at its n-th write; another one goes on. Answers whether
/// the deploy got that far.
async fn killed_at(write: i64, takes_effect: bool) -> bool {
    let world = World::serving().await;
    let fuse = Fuse::new(&world.cloud, write, takes_effect);
    let driver = world.through(&fuse.sdk_config()).start("v2");
    while !fuse.is_blown() && !driver.is_finished() {
        sleep(Duration::from_secs(1)).await;
    }
    if driver.is_finished() {
        return false;
    }
    driver.abort();
    let at = format!("killed at write {write}, took effect: {takes_effect}");
    let ended = world.try_deploy("v2").await.unwrap_or_else(|error| panic!("{at}: {error}"));
    if let Ended::Closed { record, .. } = ended {
        assert_eq!(record.outcome, Some(Outcome::Succeeded), "{at}: {record:#?}");
    }
    world.assert_only("v2").await;
    assert!(world.lowest() >= 3, "{at}: only {} were healthy", world.lowest());
    true
}

/// Every write of a deploy, in strides that hit all of them over the two tests.
async fn killed_at_every(takes_effect: bool) {
    let mut write = 1;
    while killed_at(write, takes_effect).await {
        write += 1;
    }
    assert!(write > 40, "a deploy has more than {write} writes");
}

#[tokio::test(start_paused = true)]
async fn a_driver_killed_before_any_of_its_writes_loses_nothing() {
    killed_at_every(false).await;
}

#[tokio::test(start_paused = true)]
async fn a_driver_killed_after_any_of_its_writes_loses_nothing() {
    killed_at_every(true).await;
}
