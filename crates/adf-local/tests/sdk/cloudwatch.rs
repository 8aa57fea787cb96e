//! Metrics and alarms.

use std::time::Duration;

use adf_local::cloudwatch::alarms::AlarmState;
use adf_local::cloudwatch::metrics::TargetCounts;
use adf_local::model::targets::{NewListener, NewLoadBalancer, NewTargetGroup};
use adf_local::model::{Settings, Weather};
use aws_sdk_cloudwatch::error::ProvideErrorMetadata as _;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDataResult, MetricDatum, MetricStat, ScanBy, StateValue,
};

use crate::world::{World, pass};

fn target_group(world: &World) -> String {
    world.cloud.model(|model, now| {
        let vpc_id = Some(model.network().vpc_id.clone());
        let group = NewTargetGroup {
            name: "web".to_owned(),
            protocol: "HTTP".to_owned(),
            port: 80,
            vpc_id,
            ..NewTargetGroup::default()
        };
        let arn = model.create_target_group(group).expect("the name is free");
        let subnet_ids = model.network().subnets.iter().map(|it| it.id.clone()).collect();
        let balancer = NewLoadBalancer { name: "web".to_owned(), subnet_ids, ..NewLoadBalancer::default() };
        let load_balancer_arn = model.create_load_balancer(balancer, now).expect("the name is free");
        let listener = NewListener {
            load_balancer_arn,
            port: 80,
            protocol: "HTTP".to_owned(),
            target_group_arn: arn.clone(),
            ..NewListener::default()
        };
        model.create_listener(listener).expect("the port is free");
        arn
    })
}

fn suffix(arn: &str, from: &str) -> String {
    arn[arn.find(from).expect("it has one")..].trim_start_matches("loadbalancer/").to_owned()
}

fn query(world: &World, id: &str, metric: &str, group: &str) -> MetricDataQuery {
    let balancer = world.cloud.model(|model, _| model.load_balancers().next().expect("one").arn.clone());
    let dimension = |name: &str, value: String| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder()
        .namespace("AWS/ApplicationELB")
        .metric_name(metric)
        .dimensions(dimension("TargetGroup", suffix(group, "targetgroup/")))
        .dimensions(dimension("LoadBalancer", suffix(&balancer, "loadbalancer/")))
        .build();
    let stat = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

async fn read(world: &World, group: &str) -> Vec<MetricDataResult> {
    let now = world.cloud.now().as_second();
    let answer = world
        .cloudwatch
        .get_metric_data()
        .metric_data_queries(query(world, "requests", "RequestCount", group))
        .metric_data_queries(query(world, "errors", "HTTPCode_Target_5XX_Count", group))
        .start_time(DateTime::from_secs(now - 600))
        .end_time(DateTime::from_secs(now + 60))
        .scan_by(ScanBy::TimestampAscending);
    answer.send().await.expect("metrics").metric_data_results.expect("a list")
}

#[tokio::test(start_paused = true)]
async fn request_counts_are_summed_by_the_minute() {
    let world = World::new(Settings::default());
    let arn = target_group(&world);
    for (wait, requests, target_5xx) in [(0, 100, 1), (30, 50, 0), (40, 10, 2)] {
        pass(wait).await;
        let counts = TargetCounts { requests, target_5xx, ..TargetCounts::default() };
        world.cloud.count_requests(&arn, &counts, world.cloud.now());
    }
    let results = read(&world, &arn).await;
    let values =
        |id: &str| results.iter().find(|it| it.id() == Some(id)).expect("it was asked for").values().to_vec();
    assert_eq!(values("requests"), [150.0, 10.0]);
    assert_eq!(values("errors"), [1.0, 2.0]);
    let times: Vec<i64> = results[0].timestamps().iter().map(DateTime::secs).collect();
    assert_eq!(times[1] - times[0], 60);
    assert_eq!(times[0] % 60, 0);
}

#[tokio::test(start_paused = true)]
async fn a_minute_without_requests_has_no_datapoint_and_publishing_takes_its_time() {
    let delay = Some(Duration::from_secs(30));
    let weather = Weather { metrics_delay: delay, ..Weather::default() };
    let world = World::new(Settings { weather, ..Settings::default() });
    let arn = target_group(&world);
    let counts = TargetCounts { requests: 5, ..TargetCounts::default() };
    world.cloud.count_requests(&arn, &counts, world.cloud.now());
    pass(80).await;
    assert!(read(&world, &arn).await[0].values().is_empty(), "not published yet");
    pass(20).await;
    assert_eq!(read(&world, &arn).await[0].values(), [5.0]);
    assert!(read(&world, &arn).await[1].values().is_empty(), "no errors, no datapoints");
}

#[tokio::test(start_paused = true)]
async fn custom_metrics_have_their_statistics() {
    let world = World::new(Settings::default());
    for value in [1.0, 2.0, 6.0] {
        let datum = MetricDatum::builder().metric_name("Errors").value(value).build();
        let put = world.cloudwatch.put_metric_data().namespace("app").metric_data(datum);
        put.send().await.expect("a valid datum");
    }
    let now = world.cloud.now().as_second();
    for (stat, wanted) in
        [("Sum", 9.0), ("Average", 3.0), ("Minimum", 1.0), ("Maximum", 6.0), ("SampleCount", 3.0)]
    {
        let metric = Metric::builder().namespace("app").metric_name("Errors").build();
        let stat = MetricStat::builder().metric(metric).period(60).stat(stat).build();
        let query = MetricDataQuery::builder().id("m").metric_stat(stat).build();
        let asked = world.cloudwatch.get_metric_data().metric_data_queries(query);
        let asked = asked.start_time(DateTime::from_secs(now - 60)).end_time(DateTime::from_secs(now + 60));
        let answer = asked.send().await.expect("metrics");
        assert_eq!(answer.metric_data_results()[0].values(), [wanted]);
    }
}

#[tokio::test(start_paused = true)]
async fn alarms_are_found_by_name_in_the_state_that_was_set() {
    let world = World::new(Settings::default());
    let none = world.cloudwatch.describe_alarms().alarm_names("web-5xx").send().await.expect("a list");
    assert!(none.metric_alarms().is_empty());
    world.cloud.set_alarm("web-5xx", AlarmState::Alarm, "12 of 100");
    world.cloud.set_alarm("other", AlarmState::Ok, "");
    let found = world.cloudwatch.describe_alarms().alarm_names("web-5xx").send().await.expect("a list");
    let [alarm] = found.metric_alarms() else { panic!("one of the name: {found:?}") };
    assert_eq!((alarm.state_value(), alarm.state_reason()), (Some(&StateValue::Alarm), Some("12 of 100")));
    assert!(alarm.state_updated_timestamp().is_some());
    let set = world.cloudwatch.set_alarm_state().alarm_name("web-5xx").state_value(StateValue::Ok);
    set.state_reason("over").send().await.expect("it exists");
    let ringing =
        world.cloudwatch.describe_alarms().state_value(StateValue::Alarm).send().await.expect("a list");
    assert!(ringing.metric_alarms().is_empty());
    let unknown = world.cloudwatch.list_metrics().send().await.expect_err("it is not played");
    assert_eq!(unknown.code(), Some("InvalidAction"));
}
