//! Rolling restarts: what is rebooted, what serves meanwhile, what is refused, and what becomes of one that goes wrong.

use adf_ctl::deploy::{DeployError, Ended, RestartOptions};
use adf_types::{Outcome, Surge};

use crate::agents::Fate;
use crate::world::{World, closed};

pub(crate) fn options(share: &str) -> RestartOptions {
    let share: Surge = share.parse().expect("a share");
    RestartOptions { share, downtime: false, boot_timeout: None }
}

fn boots(world: &World) -> Vec<u32> {
    world.cloud.model(|model, _| {
        let members = model.instances().filter(|instance| instance.group().is_some());
        members.map(|instance| instance.boots).collect()
    })
}

fn refusal(ended: Result<Ended, DeployError>) -> String {
    match ended {
        Err(DeployError::Refused { reason, hint }) => format!("{reason}; {hint}"),
        other => panic!("{other:?}"),
    }
}

async fn set_min(world: &World, min: u32) {
    world.context.aws.set_min("web", min).await.expect("set");
}

async fn min(world: &World) -> u32 {
    world.context.aws.group("web").await.expect("read").expect("a group").min
}

#[tokio::test(start_paused = true)]
async fn every_instance_is_rebooted_and_all_but_one_serve_all_the_while() {
    let world = World::serving().await;
    let record = closed(world.restart(&options("10%")).await.expect("driven"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    assert_eq!(boots(&world), [2, 2, 2]);
    assert!(world.lowest() >= 2, "only {} were healthy", world.lowest());
    world.assert_only("v1").await;
}

#[tokio::test(start_paused = true)]
async fn a_minimum_that_is_in_the_way_is_lowered_and_comes_back() {
    let world = World::serving().await;
    set_min(&world, 3).await;
    let record = closed(world.restart(&options("10%")).await.expect("driven"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    assert_eq!((boots(&world), min(&world).await), (vec![2, 2, 2], 3));
    world.assert_only("v1").await;
}

#[tokio::test(start_paused = true)]
async fn one_that_gives_up_after_its_reboot_ends_the_restart_and_the_group_starts_another() {
    let world = World::serving().await;
    set_min(&world, 3).await;
    world.fate("v1", Fate::IllOnceRebooted);
    let record = closed(world.restart(&options("10%")).await.expect("driven"));
    let Some(Outcome::Failed { reason, serving }) = &record.outcome else { panic!("{record:#?}") };
    assert!(reason.contains("after its reboot") && reason.contains("cannot reach the database"), "{reason}");
    assert!(serving.contains("v1 serves on 2 instances; 1 of 3 were rebooted"), "{serving}");
    assert_eq!(min(&world).await, 3);
    // The one in its place was launched, not rebooted.
    world.assert_only("v1").await;
    assert_eq!(boots(&world), [1, 1, 1]);
    assert!(world.lowest() >= 2, "only {} were healthy", world.lowest());
}

#[tokio::test(start_paused = true)]
async fn instances_that_do_not_serve_are_rebooted_first_and_together() {
    let world = World::serving().await;
    world.fate("v1", Fate::IllUntilRebooted);
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    let before = world.cloud.now();
    let record = closed(world.restart(&options("10%")).await.expect("driven"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    assert_eq!(boots(&world), [2, 2, 2]);
    let calls = record.log.iter().filter(|entry| entry.intent.starts_with("reboot ")).count();
    assert_eq!(calls, 1, "{record:#?}");
    assert!(world.cloud.now().duration_since(before).as_secs() < 120);
}

#[tokio::test(start_paused = true)]
async fn what_leaves_nothing_to_serve_is_refused_unless_somebody_says_so() {
    let world = World::serving().await;
    let refused = refusal(world.restart(&options("100%")).await);
    assert!(refused.contains("3 of the 3 instances") && refused.contains("--downtime"), "{refused}");
    assert_eq!(boots(&world), [1, 1, 1]);
    let record =
        closed(world.restart(&RestartOptions { downtime: true, ..options("100%") }).await.expect("driven"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    assert_eq!(boots(&world), [2, 2, 2]);
    world.assert_only("v1").await;
}

#[tokio::test(start_paused = true)]
async fn nothing_deployed_and_a_deploy_that_is_open_are_refused() {
    let world = World::empty(adf_local::model::Settings::default()).await;
    let refused = refusal(world.restart(&options("10%")).await);
    assert!(refused.contains("nothing is deployed of web"), "{refused}");
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(adf_types::Step::Judge).await;
    let error = world.restart(&options("10%")).await.expect_err("a deploy is open").to_string();
    assert!(error.contains("v2"), "{error}");
    driver.await.expect("no panic").expect("driven");
}
