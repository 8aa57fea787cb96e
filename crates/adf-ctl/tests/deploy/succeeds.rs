//! Deploys that end well.

use adf_ctl::deploy::{Ended, timings};
use adf_local::model::{Settings, StandbyTermination};
use adf_types::{Outcome, Step, Verdict};

use crate::world::{World, app, config_name, name};

#[tokio::test(start_paused = true)]
async fn a_first_deploy_fills_the_group_and_has_no_canary() {
    let world = World::empty(Settings::default()).await;
    let record = world.deploy("v1").await;
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    assert_eq!((record.progress.canary, record.progress.capacity), (None, 3));
    world.assert_only("v1").await;
}

#[tokio::test(start_paused = true)]
async fn a_deploy_replaces_every_instance_and_the_fleet_is_never_too_small() {
    let world = World::serving().await;
    let record = world.deploy("v2").await;
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    assert!(matches!(record.progress.verdict, Some(Verdict::Pass { .. })));
    assert_eq!(record.from, Some(name("v1")));
    world.assert_only("v2").await;
    assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
    let current = world.context.store.current(&app()).await.expect("readable").expect("set");
    assert_eq!(current.previous, Some(name("v1")));
}

#[tokio::test(start_paused = true)]
async fn the_log_tells_every_step_and_whose_time_it_was() {
    let world = World::serving().await;
    let record = world.deploy("v2").await;
    let steps = timings::steps(&record);
    let names: Vec<&str> = steps.iter().map(|step| step.step.as_str()).collect();
    let all: Vec<&str> = Step::ALL.iter().map(|step| step.as_str()).collect();
    assert_eq!(names, all);
    let end = record.finished_at.expect("closed");
    let total = end.duration_since(record.started_at).as_secs_f64();
    let sum: f64 = steps.iter().map(|step| step.seconds).sum();
    assert!((total - sum).abs() < 0.01, "{total} s, but the steps sum up to {sum} s");
    let watch = &steps[6];
    assert!((20.0..=22.0).contains(&watch.waiting_configured), "{watch:?}");
    // Calls take no virtual time, so all of it is waits.
    assert!(steps.iter().all(|step| step.own < 0.01), "{steps:#?}");
}

#[tokio::test(start_paused = true)]
async fn deploying_what_serves_does_nothing() {
    let world = World::serving().await;
    let ended = world.try_deploy("v1").await.expect("fine");
    assert!(matches!(ended, Ended::Serving { instances: 3, .. }), "{ended:?}");
    assert_eq!(world.context.store.deploys(&app(), 9).await.expect("readable").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn config_that_only_the_old_release_used_leaves_and_comes_back_with_it() {
    let world = World::serving().await;
    let store = &world.context.store;
    let only_v1 = (config_name("ONLY_V1"), "1".to_owned());
    store.set_config(&app(), Some(&name("v1")), &[only_v1]).await.expect("set");
    let record = world.deploy("v2").await;
    assert_eq!(record.progress.cleaned_config, ["web@v1/ONLY_V1"]);
    let config = store.read_config(&app(), &name("v1")).await.expect("readable");
    assert_eq!(config.get(&config_name("ONLY_V1")), None, "it left the live set");
    let record = world.deploy("v1").await;
    assert_eq!(record.outcome, Some(Outcome::Succeeded));
    let config = store.read_config(&app(), &name("v1")).await.expect("readable");
    assert_eq!(config.get(&config_name("ONLY_V1")), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn receipts_of_instances_that_are_gone_go_with_the_next_deploy() {
    let world = World::serving().await;
    world.deploy("v2").await;
    world.deploy("v3").await;
    let receipts = world.context.store.receipts(&app()).await.expect("readable");
    let old: Vec<_> = receipts.iter().filter(|r| r.release == name("v1")).collect();
    assert!(old.is_empty(), "{old:#?}");
}

#[tokio::test(start_paused = true)]
async fn it_ends_the_same_where_the_documentation_is_silent() {
    for (counted, overlaps) in [(true, true), (true, false), (false, false)] {
        let standby_termination =
            if counted { StandbyTermination::CountedInDesired } else { StandbyTermination::OutsideDesired };
        let world = World::serving_in(Settings {
            standby_termination,
            standby_waits_for_drain: overlaps,
            first_pass_is_healthy: false,
            ..Settings::default()
        })
        .await;
        let record = world.deploy("v2").await;
        assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
        assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
        world.assert_only("v2").await;
    }
}
