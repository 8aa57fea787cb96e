//! Where an instance refresh stands still, and what that is good for.

use std::time::Duration;

use adf_ctl::deploy::DeployOptions;
use adf_local::cloudwatch::alarms::AlarmState;
use adf_local::model::Settings;
use adf_local::model::groups::Strays;
use adf_types::{Outcome, Step, Strategy};
use tokio::time::sleep;

use crate::agents::{Fate, release_of};
use crate::refresh::refresh;
use crate::world::{World, closed};

/// The instances of a release that were ever launched into the group.
fn launched(world: &World, release: &str) -> usize {
    world.cloud.model(|model, _| {
        let members = model.instances().filter(|i| i.group().is_some());
        members.filter(|i| release_of(i).as_deref() == Some(release)).count()
    })
}

/// Fault 55: the canary is well, and what is replaced first falls ill.
#[tokio::test(start_paused = true)]
async fn a_release_that_falls_ill_at_the_first_checkpoint_reaches_no_other_instance() {
    let world = World::serving().await;
    world.fate("v2", Fate::IllAfter(8));
    let options = DeployOptions { canary: false, ..refresh("v2") };
    let record = closed(world.deploy_with(&options).await.expect("driven"));
    let Some(Outcome::RolledBack { reason }) = &record.outcome else { panic!("{record:#?}") };
    assert!(reason.contains("during the instance refresh") && reason.contains("503"), "{reason}");
    assert_eq!(launched(&world, "v2"), 1);
    world.assert_only("v1").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_ordered_are_the_checkpoints_that_this_fleet_has_and_its_way_back_has_none() {
    let world = World::serving().await;
    let deploying = world.clone();
    let driver = tokio::spawn(async move { deploying.deploy_with(&refresh("v2")).await });
    world.until(Step::Watch).await;
    let ordered = |world: &World| {
        world.cloud.model(|model, _| model.instance_refreshes("web").expect("a group")[0].preferences.clone())
    };
    let forward = ordered(&world);
    assert_eq!(forward.checkpoints, [1, 50, 100], "10% of three is one, as 1% is");
    assert_eq!(forward.checkpoint_delay.as_secs(), 30);
    assert!(forward.auto_rollback && forward.skip_matching);
    assert_eq!((forward.protected, forward.standby), (Strays::Replace, Strays::Ignore));
    assert_eq!((forward.min_healthy, forward.max_healthy), (100, Some(200)));
    closed(world.rollback().await.expect("a rollback"));
    driver.await.expect("no panic").expect("driven");
    let back = ordered(&world);
    assert!(back.checkpoints.is_empty() && !back.auto_rollback, "{back:?}");
}

#[tokio::test(start_paused = true)]
async fn adf_toml_says_where_a_refresh_stands_still_and_the_log_says_that_it_did() {
    for (more, stands) in
        [("checkpoints = []\n", 0), ("checkpoints = [\"50%\"]\ncheckpoint_delay = \"1m\"\n", 1)]
    {
        let world = World::serving().await;
        world.say(more);
        let world = world.through(&world.cloud.sdk_config());
        let record = closed(world.deploy_with(&refresh("v2")).await.expect("driven"));
        assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
        let waits: Vec<_> = record.log.iter().filter(|e| e.intent.contains("checkpoint")).collect();
        assert_eq!(waits.len(), stands, "{waits:#?}");
        for wait in waits {
            assert!(wait.intent.contains("its checkpoint 50%"), "{}", wait.intent);
            let took = wait.finished_at.expect("over").duration_since(wait.started_at);
            assert!((55..=75).contains(&took.as_secs()), "{took}");
        }
        world.assert_only("v2").await;
    }
}

/// Undocumented: whether AWS waits at the whole fleet, too.
#[tokio::test(start_paused = true)]
async fn a_refresh_that_waits_at_its_last_checkpoint_is_waited_for() {
    let settings = Settings { refresh_waits_at_last_checkpoint: true, ..Settings::default() };
    let world = World::serving_in(settings).await;
    let record = closed(world.deploy_with(&refresh("v2")).await.expect("driven"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    world.assert_only("v2").await;
}

/// What an alarm says counts at once, not only in the watch.
#[tokio::test(start_paused = true)]
async fn an_alarm_that_goes_off_at_a_checkpoint_turns_the_refresh() {
    let world = World::serving().await;
    world.cloud.set_alarm("web-5xx", AlarmState::Ok, "quiet");
    world.say("alarms = [\"web-5xx\"]\ncheckpoint_delay = \"5m\"\n");
    let world = world.through(&world.cloud.sdk_config());
    let deploying = world.clone();
    let options = DeployOptions { canary: false, ..refresh("v2") };
    let driver = tokio::spawn(async move { deploying.deploy_with(&options).await });
    world.until(Step::Replace).await;
    sleep(Duration::from_mins(1)).await;
    world.cloud.set_alarm("web-5xx", AlarmState::Alarm, "Threshold Crossed");
    let record = closed(driver.await.expect("no panic").expect("driven"));
    let Some(Outcome::RolledBack { reason }) = &record.outcome else { panic!("{record:#?}") };
    assert!(reason.contains("during the instance refresh, alarm web-5xx fires"), "{reason}");
    assert_eq!(launched(&world, "v2"), 1);
    world.assert_only("v1").await;
}

#[tokio::test(start_paused = true)]
async fn a_release_that_comes_back_is_not_tried_out() {
    let world = World::serving().await;
    world.say("strategy = \"refresh\"\n");
    let world = world.through(&world.cloud.sdk_config());
    let forward = world.deploy("v2").await;
    assert_eq!(forward.policy.checkpoints.of(3).len(), 2);
    let back = closed(world.rollback().await.expect("a rollback"));
    assert_eq!(back.outcome, Some(Outcome::Succeeded), "{back:#?}");
    assert_eq!((back.policy.strategy, back.policy.checkpoints.of(3).len()), (Strategy::Refresh, 0));
    world.assert_only("v1").await;
}
