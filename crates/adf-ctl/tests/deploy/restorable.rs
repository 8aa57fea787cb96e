//! Whether the release before could come back: asked before a deploy, after it, and before a rollback.

use adf_config::report::Explain;
use adf_ctl::deploy::{DeployOptions, Ended};
use adf_ctl::estimate::{self, Asked};
use adf_ctl::exit::ExitCode;
use adf_types::{DeployRecord, Outcome};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::world::{World, app, closed, config_name, name};

/// Somebody tidied the bucket.
async fn lose_archive(world: &World, release: &str) {
    let config = aws_sdk_s3::config::Builder::from(&world.cloud.sdk_config()).force_path_style(true).build();
    let s3 = aws_sdk_s3::Client::from_conf(config);
    let key = format!("web/{release}.tar.gz");
    s3.delete_object().bucket("releases").key(key).send().await.expect("deleted");
}

fn looked_back(record: &DeployRecord) -> &str {
    let line = record.log.iter().find(|entry| entry.intent.starts_with("look whether")).expect("it looked");
    line.result.as_deref().expect("an answer")
}

#[tokio::test(start_paused = true)]
async fn a_deploy_says_before_and_after_that_there_is_a_way_back() {
    let world = World::serving().await;
    let record = world.deploy("v2").await;
    let before = record.log[0].result.as_deref().expect("preflight has a result");
    assert!(before.contains("nothing is in the way; v1 could come back"), "{before}");
    assert_eq!(looked_back(&record), "v1 could come back");
}

#[tokio::test(start_paused = true)]
async fn without_the_archive_of_what_serves_a_deploy_is_refused_until_that_release_is_typed() {
    let world = World::serving().await;
    lose_archive(&world, "v1").await;
    let error = world.try_deploy("v2").await.expect_err("no way back");
    assert_eq!(error.exit_code(), ExitCode::Refused);
    let text = error.to_string();
    assert!(text.contains("E212") && text.contains("s3://releases/web/v1.tar.gz is gone"), "{text}");
    assert!(error.hint().expect("a hint").contains("--no-way-back v1"));
    let of =
        |waived: &str| DeployOptions { no_way_back: Some(name(waived)), ..DeployOptions::of(name("v2")) };
    world.deploy_with(&of("v2")).await.expect_err("not what serves");
    let asked = Asked { options: DeployOptions::of(name("v2")), deadline: None };
    let plan = Box::pin(estimate::plan(&world.context, &asked)).await.expect("a plan");
    assert!(plan.obstacles.iter().any(|obstacle| obstacle.reason.contains("E212")), "{plan:?}");
    let record = closed(world.deploy_with(&of("v1")).await.expect("a driven deploy"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded));
    assert!(looked_back(&record).contains("could not come back"), "{record:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_machine_image_that_is_gone_is_a_way_back_that_is_gone() {
    let world = World::serving().await;
    world.cloud.model(|model, _| model.deregister_image("ami-0adf0000000000001"));
    let error = world.try_deploy("v2").await.expect_err("no way back").to_string();
    assert!(error.contains("its machine image ami-0adf0000000000001 is gone"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_rollback_to_a_release_that_lost_its_archive_is_refused_before_anything_is_touched() {
    let world = World::serving().await;
    world.deploy("v2").await;
    lose_archive(&world, "v1").await;
    let error = world.rollback().await.expect_err("nothing to go back to");
    assert!(error.to_string().contains("E212 v1 could not come back"), "{error}");
    world.assert_only("v2").await;
}

#[tokio::test(start_paused = true)]
async fn a_rollback_leaves_a_release_behind_whatever_it_lacks() {
    let world = World::serving().await;
    world.deploy("v2").await;
    lose_archive(&world, "v2").await;
    let ended = world.rollback().await.expect("a rollback");
    assert!(matches!(ended, Ended::Closed { .. }));
    world.assert_only("v1").await;
}

#[tokio::test(start_paused = true)]
async fn fault_56_config_that_was_cleaned_up_is_restorable_and_config_that_was_purged_is_not() {
    let world = World::serving().await;
    let only = (config_name("ONLY_V1"), "1".to_owned());
    world.context.store.set_config(&app(), Some(&name("v1")), &[only]).await.expect("set");
    let record = world.deploy("v2").await;
    assert_eq!(looked_back(&record), "v1 could come back");
    purge(&world).await;
    let error = world.rollback().await.expect_err("nothing to go back to").to_string();
    assert!(error.contains("E208") && error.contains("ONLY_V1"), "{error}");
    world.assert_only("v2").await;
}

/// What `gc` leaves of a name a month later.
async fn purge(world: &World) {
    let client = aws_sdk_dynamodb::Client::new(&world.cloud.sdk_config());
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = client.put_item().table_name("adf-config");
    let put = put.item("App", text("web@v1")).item("Name", text("ONLY_V1"));
    let put = put.item("Cleaned", text("1970-01-01T00:00:00Z")).item("Purged", AttributeValue::Bool(true));
    put.send().await.expect("purged");
}
