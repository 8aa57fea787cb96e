//! Deploys by Auto Scaling's own instance refresh.

use adf_ctl::aws::RefreshStatus;
use adf_ctl::deploy::DeployOptions;
use adf_types::{Outcome, Step, Strategy};

use crate::agents::Fate;
use crate::world::{World, closed, name};

fn refresh(release: &str) -> DeployOptions {
    DeployOptions { strategy: Some(Strategy::Refresh), ..DeployOptions::of(name(release)) }
}

#[tokio::test(start_paused = true)]
async fn the_fleet_is_replaced_and_the_group_adopts_the_version_at_the_end() {
    let world = World::serving().await;
    let deploying = world.clone();
    let driver = tokio::spawn(async move { deploying.deploy_with(&refresh("v2")).await });
    let open = world.until(Step::Replace).await;
    let group = world.context.aws.group("web").await.expect("read").expect("a group");
    assert_eq!(group.template_version.number(), open.progress.old_template_version, "not updated first");
    let record = closed(driver.await.expect("no panic").expect("driven"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    let group = world.context.aws.group("web").await.expect("read").expect("a group");
    assert_eq!(group.template_version.number(), record.progress.template_version);
    world.assert_only("v2").await;
    assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
}

#[tokio::test(start_paused = true)]
async fn a_rollback_turns_the_refresh_and_after_its_end_another_goes_back() {
    for step in [Step::Replace, Step::Watch] {
        let world = World::serving().await;
        let deploying = world.clone();
        let driver = tokio::spawn(async move { deploying.deploy_with(&refresh("v2")).await });
        world.until(step).await;
        tokio::time::sleep(std::time::Duration::from_secs(4)).await;
        let record = closed(world.rollback().await.expect("a rollback"));
        driver.await.expect("no panic").expect("driven");
        assert!(matches!(record.outcome, Some(Outcome::RolledBack { .. })), "{record:#?}");
        world.assert_only("v1").await;
        assert!(world.lowest() >= 3, "only {} were healthy at {step}", world.lowest());
    }
}

#[tokio::test(start_paused = true)]
async fn instances_that_give_up_turn_the_refresh_within_seconds_not_after_an_hour() {
    let world = World::serving().await;
    world.fate("v2", Fate::GivesUp);
    let started = world.cloud.now();
    let options = DeployOptions { canary: false, ..refresh("v2") };
    let record = closed(world.deploy_with(&options).await.expect("driven"));
    let Some(Outcome::RolledBack { reason }) = &record.outcome else { panic!("{record:#?}") };
    assert!(reason.contains("cannot reach the database"), "{reason}");
    let took = record.finished_at.expect("closed").duration_since(started);
    assert!(took.as_mins() < 5, "{took}");
    world.assert_only("v1").await;
    let latest = world.context.aws.latest_refresh("web").await.expect("read").expect("there");
    assert!(matches!(latest.status, RefreshStatus::RolledBack | RefreshStatus::Ended), "{latest:?}");
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_dies_while_the_refresh_runs_is_replaced_and_there_is_one_refresh() {
    let world = World::serving().await;
    let deploying = world.clone();
    let driver = tokio::spawn(async move { deploying.deploy_with(&refresh("v2")).await });
    world.until(Step::Replace).await;
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    driver.abort();
    let record = world.deploy("v2").await;
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    let started = record.log.iter().filter(|e| e.intent.starts_with("start an instance refresh"));
    assert_eq!(started.count(), 1);
    world.assert_only("v2").await;
}
