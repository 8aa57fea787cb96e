//! Groups without room for two fleets, and scaling while a deploy runs.

use adf_ctl::deploy::DeployOptions;
use adf_types::{Outcome, Step};

use crate::world::{World, closed, name};

#[tokio::test(start_paused = true)]
async fn a_group_at_its_maximum_is_given_room_and_its_maximum_comes_back() {
    let world = World::serving().await;
    world.context.aws.set_max("web", 3).await.expect("set");
    let record = world.deploy("v2").await;
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    assert_eq!(world.context.aws.group("web").await.expect("read").expect("a group").max, 3);
    world.assert_only("v2").await;
    assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
}

#[tokio::test(start_paused = true)]
async fn a_deploy_that_turns_back_gives_the_maximum_back_too() {
    let world = World::serving().await;
    world.context.aws.set_max("web", 3).await.expect("set");
    let driver = world.start("v2");
    world.until(Step::Watch).await;
    let record = closed(world.rollback().await.expect("a rollback"));
    driver.await.expect("no panic").expect("driven");
    assert!(matches!(record.outcome, Some(Outcome::RolledBack { .. })), "{record:#?}");
    assert_eq!(world.context.aws.group("web").await.expect("read").expect("a group").max, 3);
    world.assert_only("v1").await;
}

#[tokio::test(start_paused = true)]
async fn both_fleets_are_protected_from_scale_in_until_the_old_one_has_left() {
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(Step::Replace).await;
    let protected = |members: Vec<adf_ctl::aws::MemberState>| members.iter().filter(|m| m.protected).count();
    let group = || async { world.context.aws.group("web").await.expect("read").expect("a group") };
    while protected(group().await.members) < 3 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // A policy that sees idle instances: everything that serves stays.
    world.context.aws.set_desired("web", 3).await.expect("scaled in");
    let record = closed(driver.await.expect("no panic").expect("driven"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
    world.assert_only("v2").await;
    assert_eq!(protected(group().await.members), 0);
}

#[tokio::test(start_paused = true)]
async fn a_part_of_the_fleet_at_a_time_and_never_more_than_the_surge() {
    let world = World::serving().await;
    let surge = Some("34%".parse().expect("a share"));
    let options = DeployOptions { surge, ..DeployOptions::of(name("v2")) };
    let (most, watching) = (std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0)), world.clone());
    let seen = std::sync::Arc::clone(&most);
    let watcher = tokio::spawn(async move {
        loop {
            seen.fetch_max(watching.running().1, std::sync::atomic::Ordering::SeqCst);
            tokio::time::sleep(std::time::Duration::from_millis(250)).await;
        }
    });
    let record = closed(world.deploy_with(&options).await.expect("driven"));
    watcher.abort();
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
    // Three, two more at once, the canary, and what is still shutting down of the batch before.
    let most = most.load(std::sync::atomic::Ordering::SeqCst);
    assert!((5..=8).contains(&most), "{most} machines at once");
    world.assert_only("v2").await;
}
