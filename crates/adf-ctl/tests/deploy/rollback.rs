//! Ways back.

use adf_ctl::deploy::DeployOptions;
use adf_types::{Outcome, Step};

use crate::agents::Fate;
use crate::world::{World, app, closed, name};

#[tokio::test(start_paused = true)]
async fn a_rollback_in_the_watch_takes_seconds_and_both_commands_tell_it() {
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(Step::Watch).await;
    world.until_the_old_stand_by().await;
    let asked = world.cloud.now();
    let rollback = closed(world.rollback().await.expect("a rollback"));
    let deploy = closed(driver.await.expect("no panic").expect("a driven deploy"));
    assert_eq!(rollback, deploy, "both saw the same end");
    let Some(Outcome::RolledBack { reason }) = &deploy.outcome else { panic!("{deploy:#?}") };
    assert!(reason.contains("a test wants it"), "{reason}");
    let returned = deploy.log.iter().find(|e| e.intent.contains("out of Standby")).expect("they returned");
    let seconds = returned.finished_at.expect("done").duration_since(asked).as_secs_f64();
    assert!(seconds < 4.0, "ExitStandby came {seconds} s after the request");
    world.assert_only("v1").await;
    assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
}

#[tokio::test(start_paused = true)]
async fn a_rollback_before_the_replacement_leaves_the_old_fleet_where_it_is() {
    for step in [Step::Canary, Step::Judge, Step::Replace] {
        let world = World::serving().await;
        let driver = world.start("v2");
        world.until(step).await;
        let record = closed(world.rollback().await.expect("a rollback"));
        driver.await.expect("no panic").expect("a driven deploy");
        assert!(matches!(record.outcome, Some(Outcome::RolledBack { .. })), "{record:#?}");
        world.assert_only("v1").await;
        assert!(world.lowest() >= 3, "only {} were healthy at {step}", world.lowest());
    }
}

#[tokio::test(start_paused = true)]
async fn a_rollback_drives_itself_when_nobody_does() {
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(Step::Watch).await;
    driver.abort();
    let record = closed(world.rollback().await.expect("a rollback"));
    assert!(matches!(record.outcome, Some(Outcome::RolledBack { .. })), "{record:#?}");
    world.assert_only("v1").await;
    assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
}

#[tokio::test(start_paused = true)]
async fn after_the_end_the_previous_release_is_deployed() {
    let world = World::serving().await;
    world.deploy("v2").await;
    let record = closed(world.rollback().await.expect("a rollback"));
    assert_eq!((record.to.clone(), record.outcome), (name("v1"), Some(Outcome::Succeeded)));
    assert_eq!(record.progress.canary, None, "v1 was judged before");
    world.assert_only("v1").await;
    let current = world.context.store.current(&app()).await.expect("readable").expect("set");
    assert_eq!(current.previous, Some(name("v2")));
}

#[tokio::test(start_paused = true)]
async fn an_instance_that_falls_ill_in_the_watch_rolls_back_by_itself() {
    let world = World::serving().await;
    world.fate("v2", Fate::IllAfter(12));
    let options = DeployOptions { canary: false, ..DeployOptions::of(name("v2")) };
    let record = closed(world.deploy_with(&options).await.expect("a driven deploy"));
    let Some(Outcome::RolledBack { reason }) = &record.outcome else { panic!("{record:#?}") };
    assert!(reason.contains("during the watch") && reason.contains("503"), "{reason}");
    world.assert_only("v1").await;
}

#[tokio::test(start_paused = true)]
async fn a_fleet_that_gives_up_after_a_good_canary_rolls_back() {
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(Step::Judge).await;
    world.fate("v2", Fate::GivesUp);
    // The canary is judged before it is ill, or is ill: in both cases v1 serves on.
    let record = closed(driver.await.expect("no panic").expect("a driven deploy"));
    assert!(matches!(record.outcome, Some(Outcome::RolledBack { .. })), "{record:#?}");
    world.assert_only("v1").await;
    assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
}

#[tokio::test(start_paused = true)]
async fn instances_that_never_get_healthy_roll_back_at_the_limit() {
    let world = World::serving().await;
    world.fate("v2", Fate::NeverHealthy);
    let options = DeployOptions { canary: false, ..DeployOptions::of(name("v2")) };
    let record = closed(world.deploy_with(&options).await.expect("a driven deploy"));
    let Some(Outcome::RolledBack { reason }) = &record.outcome else { panic!("{record:#?}") };
    assert!(reason.contains("deploy.boot_timeout") && reason.contains("stage health"), "{reason}");
    world.assert_only("v1").await;
    assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
}

#[tokio::test(start_paused = true)]
async fn a_first_deploy_that_fails_leaves_an_empty_group() {
    let world = World::empty(adf_local::model::Settings::default()).await;
    world.fate("v1", Fate::GivesUp);
    let record = world.deploy("v1").await;
    let Some(Outcome::Failed { serving, .. }) = &record.outcome else { panic!("{record:#?}") };
    assert!(serving.contains("first deploy"), "{serving}");
    let machines = || world.running().1;
    tokio::time::sleep(std::time::Duration::from_mins(1)).await;
    assert_eq!(machines(), 0);
}
