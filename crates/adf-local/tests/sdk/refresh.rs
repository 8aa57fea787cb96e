//! Instance refresh as the SDK sends and reads it.

use adf_local::model::Settings;
use aws_sdk_autoscaling::error::ProvideErrorMetadata as _;
use aws_sdk_autoscaling::types::{
    AlarmSpecification, DesiredConfiguration, InstanceRefresh, InstanceRefreshStatus, RefreshPreferences,
    ScaleInProtectedInstances, StandbyInstances,
};

use crate::world::{GROUP, World, pass, version};

async fn latest(world: &World) -> InstanceRefresh {
    let asked = world.autoscaling.describe_instance_refreshes().auto_scaling_group_name(GROUP);
    let mut found = asked.send().await.expect("a group").instance_refreshes.expect("a list");
    found.remove(0)
}

async fn start(world: &World) -> String {
    let desired = DesiredConfiguration::builder().launch_template(version("2")).build();
    let preferences = RefreshPreferences::builder()
        .min_healthy_percentage(100)
        .max_healthy_percentage(150)
        .instance_warmup(5)
        .auto_rollback(true)
        .set_checkpoint_percentages(Some(vec![50, 100]))
        .checkpoint_delay(30)
        .scale_in_protected_instances(ScaleInProtectedInstances::Ignore)
        .standby_instances(StandbyInstances::Terminate)
        .alarm_specification(AlarmSpecification::builder().alarms("web-5xx").build())
        .bake_time(60)
        .build();
    let start = world.autoscaling.start_instance_refresh().auto_scaling_group_name(GROUP);
    let begun = start.desired_configuration(desired).preferences(preferences).send().await.expect("valid");
    begun.instance_refresh_id.expect("its id")
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_for_is_shown_and_done() {
    let world = World::new(Settings::default());
    world.group(4).await;
    let id = start(&world).await;
    let shown = latest(&world).await;
    assert_eq!(shown.instance_refresh_id(), Some(id.as_str()));
    let preferences = shown.preferences().expect("shown");
    assert_eq!(preferences.checkpoint_percentages(), [50, 100]);
    assert_eq!(
        (preferences.min_healthy_percentage(), preferences.max_healthy_percentage()),
        (Some(100), Some(150))
    );
    assert_eq!((preferences.instance_warmup(), preferences.bake_time()), (Some(5), Some(60)));
    assert_eq!(preferences.scale_in_protected_instances(), Some(&ScaleInProtectedInstances::Ignore));
    assert_eq!(preferences.standby_instances(), Some(&StandbyInstances::Terminate));
    assert_eq!(preferences.alarm_specification().expect("shown").alarms(), ["web-5xx"]);
    let desired = shown.desired_configuration().and_then(|it| it.launch_template()).expect("shown");
    assert_eq!(desired.version(), Some("2"));
    pass(40).await;
    assert_eq!(latest(&world).await.percentage_complete(), Some(50), "it pauses at the checkpoint");
    pass(60).await;
    assert_eq!(latest(&world).await.status(), Some(&InstanceRefreshStatus::Baking));
    pass(60).await;
    let done = latest(&world).await;
    assert_eq!(done.status(), Some(&InstanceRefreshStatus::Successful));
    assert!(done.end_time().is_some() && done.instances_to_update() == Some(0));
}

#[tokio::test(start_paused = true)]
async fn refusals_have_their_types() {
    let world = World::new(Settings::default());
    world.group(2).await;
    let cancel = || world.autoscaling.cancel_instance_refresh().auto_scaling_group_name(GROUP).send();
    let refused = cancel().await.expect_err("none runs").into_service_error();
    assert!(refused.is_active_instance_refresh_not_found_fault(), "{refused:?}");
    start(&world).await;
    let again = world.autoscaling.start_instance_refresh().auto_scaling_group_name(GROUP).send().await;
    let refused = again.expect_err("one runs").into_service_error();
    assert!(refused.is_instance_refresh_in_progress_fault(), "{refused:?}");
    let update = world.autoscaling.update_auto_scaling_group().auto_scaling_group_name(GROUP);
    let refused = update.launch_template(version("1")).send().await.expect_err("it waits for the refresh");
    assert_eq!(refused.code(), Some("ValidationError"));
    cancel().await.expect("one runs");
    pass(20).await;
    assert_eq!(latest(&world).await.status(), Some(&InstanceRefreshStatus::Cancelled));
    let plain = world.autoscaling.start_instance_refresh().auto_scaling_group_name(GROUP);
    plain.send().await.expect("none runs any more");
    let back = world.autoscaling.rollback_instance_refresh().auto_scaling_group_name(GROUP).send().await;
    let refused = back.expect_err("nothing desired").into_service_error();
    assert!(refused.is_irreversible_instance_refresh_fault(), "{refused:?}");
}

#[tokio::test(start_paused = true)]
async fn refreshes_come_newest_first_and_in_pages() {
    let world = World::new(Settings::default());
    world.group(1).await;
    let mut begun = Vec::new();
    for _ in 0..3 {
        let start = world.autoscaling.start_instance_refresh().auto_scaling_group_name(GROUP);
        begun.push(start.send().await.expect("none runs").instance_refresh_id.expect("its id"));
        let cancel = world.autoscaling.cancel_instance_refresh().auto_scaling_group_name(GROUP);
        cancel.wait_for_transitioning_instances(false).send().await.expect("one runs");
    }
    let first = world.autoscaling.describe_instance_refreshes().auto_scaling_group_name(GROUP).max_records(2);
    let first = first.send().await.expect("a page");
    let rest = world.autoscaling.describe_instance_refreshes().auto_scaling_group_name(GROUP);
    let rest = rest.set_next_token(first.next_token.clone()).send().await.expect("a page");
    let ids: Vec<String> = [first.instance_refreshes(), rest.instance_refreshes()]
        .concat()
        .into_iter()
        .filter_map(|refresh| refresh.instance_refresh_id)
        .collect();
    begun.reverse();
    assert_eq!(ids, begun);
}

#[tokio::test(start_paused = true)]
async fn an_alarm_that_rings_rolls_the_refresh_back() {
    let world = World::new(Settings::default());
    world.group(4).await;
    start(&world).await;
    pass(20).await;
    world.cloud.set_alarm("web-5xx", adf_local::cloudwatch::alarms::AlarmState::Alarm, "too many");
    pass(1).await;
    let rolling = latest(&world).await;
    assert_eq!(rolling.status(), Some(&InstanceRefreshStatus::RollbackInProgress));
    let details = rolling.rollback_details().expect("shown");
    assert!(details.rollback_reason().expect("why").contains("web-5xx"));
    assert!(details.rollback_start_time().is_some());
    pass(120).await;
    assert_eq!(latest(&world).await.status(), Some(&InstanceRefreshStatus::RollbackSuccessful));
}
