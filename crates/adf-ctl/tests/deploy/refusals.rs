//! What is refused before anything is touched.

use adf_config::report::Explain;
use adf_ctl::aws::RefreshOrder;
use adf_ctl::deploy::{DeployError, DeployOptions};
use adf_ctl::exit::ExitCode;
use adf_local::model::Settings;
use adf_types::Step;

use crate::world::{World, app, closed, config_name, name, release};

async fn refused(world: &World, release: &str) -> (String, String) {
    let deploys = world.context.store.deploys(&app(), 9).await.expect("readable").len();
    let error = world.try_deploy(release).await.expect_err("a refusal");
    assert_eq!(error.exit_code(), ExitCode::Refused, "{error}");
    let after = world.context.store.deploys(&app(), 9).await.expect("readable").len();
    assert_eq!(deploys, after, "no deploy was begun");
    (error.to_string(), error.hint().expect("a hint"))
}

#[tokio::test(start_paused = true)]
async fn an_unknown_release_is_not_found_and_the_known_are_listed() {
    let world = World::serving().await;
    let error = world.try_deploy("v9").await.expect_err("unknown");
    assert_eq!(error.exit_code(), ExitCode::NotFound);
    assert!(error.to_string().contains("v1"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_first_deploy_beyond_the_maximum_is_refused_with_the_command_that_raises_it() {
    let world = World::empty(Settings::default()).await;
    let options = DeployOptions { capacity: Some(7), ..DeployOptions::of(name("v1")) };
    let error = world.deploy_with(&options).await.expect_err("seven are more than six");
    assert!(error.to_string().contains("more than the maximum of group web, 6"), "{error}");
    assert!(error.hint().expect("a hint").contains("--max-size 7"));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_that_somebody_else_started_is_not_touched() {
    let world = World::serving().await;
    let order = RefreshOrder {
        template_version: 1,
        beyond_percent: 10,
        warm_up: std::time::Duration::from_secs(30),
        auto_rollback: false,
        checkpoints: Vec::new(),
        checkpoint_delay: std::time::Duration::ZERO,
    };
    let refresh = world.context.aws.start_refresh("web", &order).await.expect("started");
    let (error, hint) = refused(&world, "v2").await;
    assert!(error.contains("E203") && error.contains(&refresh), "{error}");
    assert!(hint.contains("describe-instance-refreshes"), "{hint}");
    let still = world.context.aws.latest_refresh("web").await.expect("read").expect("there");
    assert!(still.status.is_active(), "{still:?}");
}

#[tokio::test(start_paused = true)]
async fn config_that_the_release_requires_and_nobody_set_is_named() {
    let world = World::serving().await;
    let mut v4 = release("v4");
    v4.config.required = vec![config_name("DB"), config_name("KEY")];
    world.context.store.put_release(&v4).await.expect("new");
    let (error, hint) = refused(&world, "v4").await;
    assert!(error.contains("DB, KEY") && hint.contains("adf-ctl config set DB=VALUE"), "{error} {hint}");
}

#[tokio::test(start_paused = true)]
async fn a_second_deploy_while_one_runs_is_refused_and_names_owner_and_step() {
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(Step::Judge).await;
    let error = world.try_deploy("v3").await.expect_err("locked");
    assert_eq!(error.exit_code(), ExitCode::Refused);
    let text = error.to_string();
    assert!(text.contains("arn:aws") && text.contains("judge") && text.contains("v2"), "{text}");
    // The same release: somebody is seen to drive it.
    let same = world.try_deploy("v2").await.expect_err("driven");
    assert_eq!(same.exit_code(), ExitCode::Refused, "{same}");
    closed(driver.await.expect("no panic").expect("undisturbed"));
    world.assert_only("v2").await;
}

#[tokio::test(start_paused = true)]
async fn an_open_deploy_of_another_release_is_refused_although_nobody_drives_it() {
    let world = World::serving().await;
    let driver = world.start("v2");
    world.until(Step::Judge).await;
    driver.abort();
    let error = world.try_deploy("v3").await.expect_err("open");
    assert!(matches!(error, DeployError::Refused { .. }), "{error}");
    assert!(error.hint().expect("a hint").contains("adf-ctl rollback"));
}

#[tokio::test(start_paused = true)]
async fn a_rollback_without_a_release_before_is_refused() {
    let world = World::serving().await;
    let error = world.rollback().await.expect_err("nothing to go back to");
    assert_eq!(error.exit_code(), ExitCode::Refused);
    let _ = name("v1");
}
