//! The lock as operators see it, and what breaking it does to whoever holds it.

use std::time::Duration;

use adf_ctl::consent::{Consent, Who};
use adf_ctl::deploy::DeployError;
use adf_ctl::inspect::{self, Holder};
use adf_ctl::printer::Text as _;
use adf_store::{LEASE, StoreError};
use adf_types::{Outcome, Step};
use tokio::time::{Instant, sleep};

use crate::world::{World, app, closed};

async fn held(world: &World) -> Holder {
    inspect::lock(&world.context).await.expect("readable").held.expect("held")
}

fn consent() -> Consent {
    Consent::from("breaking the lock", &app(), Some(&app()), Who::Nobody).expect("--yes web")
}

#[tokio::test(start_paused = true)]
async fn a_free_lock_is_free_at_once() {
    let world = World::serving().await;
    let before = Instant::now();
    let report = inspect::lock(&world.context).await.expect("readable");
    assert_eq!((report.held.clone(), before.elapsed()), (None, Duration::ZERO));
    assert_eq!(report.text(), "the lock of web is free\n");
}

#[tokio::test(start_paused = true)]
async fn who_drives_a_deploy_is_seen_at_work() {
    let world = World::serving().await;
    let driver = world.start("v2");
    let open = world.until(Step::Watch).await;
    let holder = held(&world).await;
    assert!(holder.at_work && holder.owner.starts_with("arn:aws:"), "{holder:?}");
    assert_eq!(holder.deploy, Some(open.id));
    driver.abort();
}

#[tokio::test(start_paused = true)]
async fn who_is_gone_is_seen_to_stand_still_and_text_says_what_happens_by_itself() {
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(Step::Judge).await;
    driver.abort();
    let report = inspect::lock(&world.context).await.expect("readable");
    let holder = report.held.clone().expect("held");
    assert!(!holder.at_work && holder.looked_seconds >= 20.0, "{holder:?}");
    let text = report.text();
    assert!(text.contains("has not moved for 20 s") && text.contains("after 30 s"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_was_broken_lets_the_next_deploy_begin_without_waiting_for_the_lease() {
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(Step::Judge).await;
    driver.abort();
    let broken = inspect::break_lock(&world.context, &consent(), &held(&world).await).await.expect("broken");
    let text = broken.text();
    assert!(text.contains("go on with adf-ctl deploy v2, or back with adf-ctl rollback"), "{text}");
    let next = world.start("v2");
    sleep(LEASE / 10).await;
    let lock = world.context.store.lock(&app()).await.expect("readable");
    assert!(lock.is_some_and(|lock| lock.deploy.is_some()), "the deploy goes on");
    let record = closed(next.await.expect("no panic").expect("driven"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded));
    world.assert_only("v2").await;
}

#[tokio::test(start_paused = true)]
async fn attack_a17_a_driver_whose_lock_was_broken_stops_and_writes_nothing_more() {
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(Step::Watch).await;
    let holder = inspect::lock_now(&world.context).await.expect("readable").held.expect("held");
    inspect::break_lock(&world.context, &consent(), &holder).await.expect("forced");
    let stopped = driver.await.expect("no panic").expect_err("it lost its lock");
    assert!(matches!(stopped, DeployError::Store(StoreError::LockLost { .. })), "{stopped}");
    let left = world.context.store.open_deploy(&app()).await.expect("readable").expect("still open");
    sleep(Duration::from_mins(2)).await;
    let later = world.context.store.open_deploy(&app()).await.expect("readable").expect("still open");
    assert_eq!(left, later);
    assert_eq!(world.deploy("v2").await.outcome, Some(Outcome::Succeeded));
    world.assert_only("v2").await;
}
