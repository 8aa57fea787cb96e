//! Operators who step in while a deploy runs, from another machine.

use std::time::Duration;

use adf_ctl::deploy::{self, Answer};
use adf_types::{Outcome, Step, Verdict};
use tokio::time::sleep;

use crate::world::{World, closed};

#[tokio::test(start_paused = true)]
async fn a_paused_deploy_stands_still_until_somebody_resumes_it() {
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(Step::Judge).await;
    let answer =
        deploy::pause(&world.context, world.names(), Duration::from_mins(30), &mut world.seat()).await;
    assert!(matches!(answer, Ok(Answer::Done(_))), "{answer:?}");
    sleep(Duration::from_mins(20)).await;
    let open = world.until(Step::Judge).await;
    assert!(open.progress.paused_at.is_some() && !driver.is_finished());
    let resumed =
        closed(deploy::resume(&world.context, world.names(), &mut world.seat()).await.expect("resumed"));
    let deployed = closed(driver.await.expect("no panic").expect("driven"));
    assert_eq!(resumed, deployed, "both saw the same end");
    assert_eq!(deployed.outcome, Some(Outcome::Succeeded), "{deployed:#?}");
    world.assert_only("v2").await;
    assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_nobody_ends_turns_back() {
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(Step::Judge).await;
    let limit = Duration::from_mins(10);
    deploy::pause(&world.context, world.names(), limit, &mut world.seat()).await.expect("paused");
    let record = closed(driver.await.expect("no panic").expect("driven"));
    let Some(Outcome::RolledBack { reason }) = &record.outcome else { panic!("{record:#?}") };
    assert!(reason.contains("nobody let it go on within adf-ctl pause --for (600s)"), "{reason}");
    world.assert_only("v1").await;
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_is_gone_is_replaced_by_resume_from_any_machine() {
    for step in [Step::Canary, Step::Replace, Step::Watch] {
        let world = World::serving().await;
        let driver = world.start("v2");
        world.until(step).await;
        driver.abort();
        let resumed = deploy::resume(&world.context, world.names(), &mut world.seat()).await;
        let record = closed(resumed.expect("resumed"));
        assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
        world.assert_only("v2").await;
        assert!(world.lowest() >= 3, "only {} were healthy", world.lowest());
    }
}

#[tokio::test(start_paused = true)]
async fn an_abort_turns_the_open_deploy_back_and_begins_no_other() {
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(Step::Watch).await;
    driver.abort();
    let aborted = deploy::abort(&world.context, world.names(), "a test wants it", &mut world.seat()).await;
    let record = closed(aborted.expect("aborted"));
    assert!(matches!(record.outcome, Some(Outcome::RolledBack { .. })), "{record:#?}");
    world.assert_only("v1").await;
    let none = deploy::abort(&world.context, world.names(), "again", &mut world.seat()).await;
    assert!(none.expect_err("nothing is open").to_string().contains("no deploy of web is open"));
}

#[tokio::test(start_paused = true)]
async fn promoting_ends_the_bake_and_then_the_watch() {
    let world = World::serving().await;
    let options = deploy::DeployOptions {
        bake: Some(Duration::from_hours(1)),
        watch: Some(Duration::from_hours(1)),
        ..deploy::DeployOptions::of(crate::world::name("v2"))
    };
    let started = world.cloud.now();
    let deploying = world.clone();
    let driver = tokio::spawn(async move { deploying.deploy_with(&options).await });
    for step in [Step::Judge, Step::Watch] {
        world.until(step).await;
        let answer = deploy::promote(&world.context, world.names(), &mut world.seat()).await;
        assert!(matches!(answer, Ok(Answer::Done(_))), "{answer:?}");
    }
    let record = closed(driver.await.expect("no panic").expect("driven"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    let Some(Verdict::Pass { evidence }) = &record.progress.verdict else { panic!("{record:#?}") };
    assert!(evidence.contains("promoted it before the bake was over"), "{evidence}");
    let took = record.finished_at.expect("closed").duration_since(started);
    assert!(took.as_mins() < 5, "{took}");
    world.assert_only("v2").await;
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_too_late_is_said() {
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(Step::Cleanup).await;
    let answer =
        deploy::pause(&world.context, world.names(), Duration::from_mins(1), &mut world.seat()).await;
    assert!(matches!(answer, Ok(Answer::TooLate(_))), "{answer:?}");
    let record = closed(driver.await.expect("no panic").expect("driven"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded));
}
