//! Drivers that die: whoever comes next ends the deploy, and nothing is left over.

use std::time::Duration;

use adf_ctl::deploy::Ended;
use adf_types::Outcome;
use tokio::time::sleep;

use crate::fuse::Fuse;
use crate::world::World;

/// A deploy's driver loses its connection for ever at its n-th write, which takes effect; another one goes on.
/// Answers whether the deploy got that far.
///
/// What dies before write n+1 leaves behind what died after write n: one of the two is enough.
async fn killed_at(write: i64) -> bool {
    let world = World::serving().await;
    let fuse = Fuse::new(&world.cloud, write);
    let driver = world.through(&fuse.sdk_config()).start("v2");
    while !fuse.is_blown() && !driver.is_finished() {
        sleep(Duration::from_secs(1)).await;
    }
    if driver.is_finished() {
        return false;
    }
    driver.abort();
    let ended =
        world.try_deploy("v2").await.unwrap_or_else(|error| panic!("killed at write {write}: {error}"));
    if let Ended::Closed { record, .. } = ended {
        assert_eq!(record.outcome, Some(Outcome::Succeeded), "killed at write {write}: {record:#?}");
    }
    world.assert_only("v2").await;
    assert!(world.lowest() >= 3, "killed at write {write}: only {} were healthy", world.lowest());
    true
}

#[tokio::test(start_paused = true)]
async fn a_driver_killed_at_any_of_its_writes_loses_nothing() {
    let mut write = 1;
    while Box::pin(killed_at(write)).await {
        write += 1;
    }
    assert!(write > 40, "a deploy has more than {write} writes");
}
