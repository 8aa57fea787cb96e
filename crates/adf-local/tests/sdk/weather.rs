//! Weather as a caller meets it.

use std::collections::BTreeSet;
use std::time::Duration;

use adf_local::cloud::Scripted;
use adf_local::model::weather::{LaunchFault, ThrottleForm, Throttling};
use adf_local::model::{Settings, Weather};
use aws_sdk_ec2::error::ProvideErrorMetadata as _;

use crate::world::{GROUP, IMAGE, World, pass};

fn with(weather: Weather) -> World {
    World::new(Settings { weather, ..Settings::default() })
}

#[tokio::test(start_paused = true)]
async fn short_pages_lose_nobody_and_repeat_nobody() {
    let world = with(Weather { short_pages: true, ..Weather::default() });
    world.group(30).await;
    let members = world.autoscaling.describe_auto_scaling_instances().into_paginator().items().send();
    let members: Vec<String> = members
        .collect::<Result<Vec<_>, _>>()
        .await
        .expect("pages")
        .into_iter()
        .filter_map(|it| it.instance_id)
        .collect();
    assert_eq!((members.len(), members.iter().collect::<BTreeSet<_>>().len()), (30, 30));
    let first = world.ec2.describe_instances().send().await.expect("a page");
    assert!(first.next_token().is_some(), "less than everything, although nobody asked for pages");
    let activities = world.autoscaling.describe_scaling_activities().auto_scaling_group_name(GROUP);
    let activities = activities.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    assert_eq!(activities.expect("pages").len(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_paged_read_while_reads_lag_misses_nobody_who_was_there_all_the_time() {
    let world =
        with(Weather { short_pages: true, describe_lag: Duration::from_secs(8), ..Weather::default() });
    world.group(12).await;
    pass(30).await;
    let old: BTreeSet<String> =
        world.cloud.model(|model, _| model.instances().map(|it| it.id.clone()).collect());
    world
        .autoscaling
        .set_desired_capacity()
        .auto_scaling_group_name(GROUP)
        .desired_capacity(20)
        .send()
        .await
        .expect("room");
    pass(3).await;
    for _ in 0..30 {
        let read = world.autoscaling.describe_auto_scaling_instances().into_paginator().items().send();
        let read = read.collect::<Result<Vec<_>, _>>().await.expect("pages");
        let seen: Vec<String> = read.into_iter().filter_map(|it| it.instance_id).collect();
        assert!(old.iter().all(|id| seen.iter().filter(|it| *it == id).count() == 1), "{seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_just_launched_may_be_unknown_to_reads_and_to_changes() {
    let world =
        with(Weather { describe_lag: Duration::from_secs(10), changes_lag: true, ..Weather::default() });
    world.template().await;
    pass(20).await;
    let run =
        world.ec2.run_instances().image_id(IMAGE).min_count(1).max_count(1).send().await.expect("launchable");
    let id = run.instances()[0].instance_id().expect("its id").to_owned();
    pass(1).await;
    let (mut known, mut unknown) = (0, 0);
    for _ in 0..40 {
        match world.ec2.describe_instances().instance_ids(&id).send().await {
            Ok(_) => known += 1,
            Err(refused) => {
                assert_eq!(refused.code(), Some("InvalidInstanceID.NotFound"));
                unknown += 1;
            }
        }
    }
    assert!(known > 0 && unknown > 0, "{known} {unknown}");
    let mut refusals = 0;
    for _ in 0..20 {
        refusals += usize::from(world.ec2.reboot_instances().instance_ids(&id).send().await.is_err());
    }
    assert!(refusals > 0);
    pass(12).await;
    world.ec2.terminate_instances().instance_ids(&id).send().await.expect("known to everybody now");
}

#[tokio::test(start_paused = true)]
async fn refusals_for_too_many_calls_come_in_every_form() {
    for (form, ec2, group) in [
        (ThrottleForm::Usual, "RequestLimitExceeded", "Throttling"),
        (ThrottleForm::ValidationError, "ValidationError", "ValidationError"),
        (ThrottleForm::ValidationException, "ValidationException", "ValidationException"),
    ] {
        let world = with(Weather {
            throttling: Throttling { refused: 100, form, ..Throttling::default() },
            ..Weather::default()
        });
        let once = aws_sdk_ec2::config::retry::RetryConfig::disabled();
        let config = aws_sdk_ec2::config::Builder::from(&world.cloud.sdk_config()).retry_config(once.clone());
        let client = aws_sdk_ec2::Client::from_conf(config.build());
        let refused = client.describe_instances().send().await.expect_err("all calls are refused");
        assert_eq!(refused.code(), Some(ec2));
        let config = aws_sdk_autoscaling::config::Builder::from(&world.cloud.sdk_config()).retry_config(once);
        let client = aws_sdk_autoscaling::Client::from_conf(config.build());
        let refused = client.describe_auto_scaling_groups().send().await.expect_err("all calls are refused");
        assert_eq!(refused.code(), Some(group));
    }
}

#[tokio::test(start_paused = true)]
async fn the_sdk_rides_out_throttling_and_missing_capacity_is_named() {
    let world = with(Weather {
        throttling: Throttling { refused: 30, ..Throttling::default() },
        ..Weather::default()
    });
    let mut failed = 0;
    for _ in 0..50 {
        failed += usize::from(world.ec2.describe_instances().send().await.is_err());
    }
    assert!(failed < 10, "three attempts each: {failed}");
    world.cloud.model(|model, now| {
        model.set_weather(Weather::default());
        model.fail_launches(None, LaunchFault::InsufficientCapacity, now + Duration::from_hours(1));
    });
    let run = world.ec2.run_instances().image_id(IMAGE).min_count(1).max_count(1).send().await;
    assert_eq!(run.expect_err("no capacity").code(), Some("InsufficientInstanceCapacity"));
    world.elb.describe_target_groups().send().await.expect("the others are well");
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_answer_is_lost_has_happened() {
    let world = World::new(Settings::default());
    world.group(1).await;
    world.cloud.script("autoscaling:SetDesiredCapacity", 3, &Scripted::Lost);
    let set = world.autoscaling.set_desired_capacity().auto_scaling_group_name(GROUP).desired_capacity(2);
    let broken = set.send().await.expect_err("every attempt's answer is lost");
    assert!(broken.as_service_error().is_none(), "not a refusal: {broken:?}");
    assert_eq!(world.cloud.model(|model, _| model.group(GROUP).expect("it exists").desired), 2);
}

#[tokio::test(start_paused = true)]
async fn a_scripted_error_has_the_form_of_its_service() {
    let world = World::new(Settings::default());
    world.cloud.script(
        "autoscaling:DescribeAutoScalingGroups",
        1,
        &Scripted::error("ResourceContention", "busy"),
    );
    world.cloud.script("ec2:DescribeVpcs", 1, &Scripted::error("UnauthorizedOperation", "no"));
    let refused = world.autoscaling.describe_auto_scaling_groups().send().await.expect_err("scripted");
    assert!(refused.into_service_error().is_resource_contention_fault());
    let refused = world.ec2.describe_vpcs().send().await.expect_err("scripted");
    assert_eq!((refused.code(), refused.message()), (Some("UnauthorizedOperation"), Some("no")));
}
