//! Deploys by Auto Scaling's own instance refresh.

use adf_ctl::aws::RefreshStatus;
use adf_ctl::deploy::DeployOptions;
use adf_local::model::groups::MixedInstances;
use adf_types::{Outcome, Step, Strategy};
use aws_sdk_autoscaling::types as sdk;

use crate::agents::Fate;
use crate::world::{World, closed, name};

pub(crate) fn refresh(release: &str) -> DeployOptions {
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

/// Two instance types in place of the template's, with the version that the group launches now.
async fn give_types(world: &World) {
    let client = aws_sdk_autoscaling::Client::new(&world.cloud.sdk_config());
    let group = world.context.aws.group("web").await.expect("read").expect("a group");
    let version = group.template_version.number().expect("a number").to_string();
    let template = sdk::LaunchTemplateSpecification::builder().launch_template_id(group.template_id);
    let kind = |name: &str| sdk::LaunchTemplateOverrides::builder().instance_type(name).build();
    let launched = sdk::LaunchTemplate::builder()
        .launch_template_specification(template.version(version).build())
        .overrides(kind("t3.medium"))
        .overrides(kind("t3a.medium"));
    let policy = sdk::MixedInstancesPolicy::builder().launch_template(launched.build());
    let update = client.update_auto_scaling_group().auto_scaling_group_name("web");
    update.mixed_instances_policy(policy.build()).send().await.expect("updated");
}

/// The version of its template that the group launches, and its policy.
fn launches(world: &World) -> (String, Option<MixedInstances>) {
    world.cloud.model(|model, _| {
        let group = model.groups().find(|group| group.name == "web").expect("a group");
        let template = group.template.as_ref().expect("a template");
        (template.version.to_string(), group.mixed.clone())
    })
}

/// A group of several instance types, by an instance refresh.
#[tokio::test(start_paused = true)]
async fn a_group_with_several_instance_types_keeps_them_and_the_way_back_does_too() {
    let world = World::serving().await;
    give_types(&world).await;
    let (_, policy) = launches(&world);
    assert_eq!(policy.as_ref().map(|it| it.overrides.len()), Some(2));
    let record = closed(world.deploy_with(&refresh("v2")).await.expect("driven"));
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    let after = launches(&world);
    assert_eq!(after, (record.progress.template_version.expect("made").to_string(), policy));
    world.assert_only("v2").await;
    world.fate("v3", Fate::GivesUp);
    let options = DeployOptions { canary: false, ..refresh("v3") };
    let failed = closed(world.deploy_with(&options).await.expect("driven"));
    assert!(matches!(failed.outcome, Some(Outcome::RolledBack { .. })), "{failed:#?}");
    assert_eq!(launches(&world), after);
    world.assert_only("v2").await;
}

#[tokio::test(start_paused = true)]
async fn a_surge_keeps_the_instance_types_of_a_group_too() {
    let world = World::serving().await;
    give_types(&world).await;
    let (_, policy) = launches(&world);
    let record = world.deploy("v2").await;
    assert_eq!(record.outcome, Some(Outcome::Succeeded), "{record:#?}");
    let version = record.progress.template_version.expect("made").to_string();
    assert_eq!(launches(&world), (version, policy));
    world.assert_only("v2").await;
}
