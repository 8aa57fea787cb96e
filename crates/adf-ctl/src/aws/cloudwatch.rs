//! CloudWatch: what a load balancer counted for a target group, and what alarms say.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    AlarmType, Dimension, Metric, MetricDataQuery, MetricDataResult, MetricStat, ScanBy, StateValue,
    StatusCode,
};
use jiff::Timestamp;

use super::error::{failed, incomplete};
use super::{Aws, AwsError};

/// A target group of a load balancer, as metrics call it.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedGroup {
    /// `app/web/50dc6c495c0c9188`
    balancer: String,
    /// `targetgroup/web/73e2d6bc24d8a067`
    group: String,
}

impl CountedGroup {
    /// `None` for what are no ARNs of a load balancer and a target group.
    pub fn of(balancer_arn: &str, group_arn: &str) -> Option<Self> {
        let (_, balancer) = balancer_arn.split_once(":loadbalancer/")?;
        let (_, group) = group_arn.rsplit_once(':').filter(|(_, name)| name.starts_with("targetgroup/"))?;
        Some(Self { balancer: balancer.to_owned(), group: group.to_owned() })
    }
}

/// Requests that targets answered, and how many with 5xx.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RequestCounts {
    pub requests: u64,
    pub errors: u64,
}

/// Counts by the start of their minute. A minute without requests is not there.
pub type RequestMinutes = BTreeMap<Timestamp, RequestCounts>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmState {
    Quiet,
    Firing { reason: String },
    NoData,
}

/// Seconds; the load balancer reports no finer.
const PERIOD: i32 = 60;

const REQUESTS: &str = "RequestCount";
const ERRORS: &str = "HTTPCode_Target_5XX_Count";

impl Aws {
    /// The counts of several target groups from `from` on, in one call.
    pub async fn request_counts<const N: usize>(
        &self,
        groups: [&CountedGroup; N],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<[RequestMinutes; N], AwsError> {
        const CALL: &str = "GetMetricData";
        let queries = groups
            .iter()
            .enumerate()
            .flat_map(|(number, group)| [query(number, REQUESTS, group), query(number, ERRORS, group)]);
        let queries: Vec<MetricDataQuery> = queries.collect();
        let get = self.cloudwatch.get_metric_data().set_metric_data_queries(Some(queries));
        let mut pages = get
            .start_time(DateTime::from_secs(from.as_second()))
            .end_time(DateTime::from_secs(to.as_second()))
            .scan_by(ScanBy::TimestampAscending)
            .into_paginator()
            .send();
        let mut minutes = [const { RequestMinutes::new() }; N];
        let mut complete = true;
        while let Some(page) = pages.next().await {
            let page = page.map_err(failed(CALL, "requests and 5xx"))?;
            complete = collect(page.metric_data_results.unwrap_or_default(), &mut minutes);
        }
        if complete { Ok(minutes) } else { Err(incomplete(CALL, "requests and 5xx", "a part of the data")) }
    }

    /// The alarms of these names, metric and composite, in one call; at most 100. One that is not there is not in the
    /// answer.
    pub async fn alarms(&self, names: &[String]) -> Result<BTreeMap<String, AlarmState>, AwsError> {
        let describe = self.cloudwatch.describe_alarms().set_alarm_names(Some(names.to_vec()));
        let answer = describe
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .max_records(100)
            .send()
            .await
            .map_err(failed("DescribeAlarms", names.join(", ")))?;
        let metric = answer.metric_alarms.unwrap_or_default().into_iter();
        let composite = answer.composite_alarms.unwrap_or_default().into_iter();
        let all = metric
            .map(|alarm| (alarm.alarm_name, alarm.state_value, alarm.state_reason))
            .chain(composite.map(|alarm| (alarm.alarm_name, alarm.state_value, alarm.state_reason)));
        Ok(all
            .filter_map(|(name, state, reason)| Some((name?, alarm_state(state.as_ref(), reason))))
            .collect())
    }
}

/// `requests0`, `errors0`, `requests1`, ...
fn query_id(number: usize, metric: &str) -> String {
    let kind = if metric == ERRORS { "errors" } else { "requests" };
    format!("{kind}{number}")
}

fn query(number: usize, metric: &str, group: &CountedGroup) -> MetricDataQuery {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let named = Metric::builder()
        .namespace("AWS/ApplicationELB")
        .metric_name(metric)
        .dimensions(dimension("LoadBalancer", &group.balancer))
        .dimensions(dimension("TargetGroup", &group.group))
        .build();
    let sum = MetricStat::builder().metric(named).period(PERIOD).stat("Sum").build();
    MetricDataQuery::builder().id(query_id(number, metric)).metric_stat(sum).build()
}

/// Adds a page's data; answers whether it was the last of each series.
fn collect(results: Vec<MetricDataResult>, minutes: &mut [RequestMinutes]) -> bool {
    let mut complete = true;
    for result in results {
        complete &= result.status_code == Some(StatusCode::Complete);
        let id = result.id.unwrap_or_default();
        let number = id.trim_start_matches(char::is_alphabetic).parse::<usize>().ok();
        let Some(minutes) = number.and_then(|number| minutes.get_mut(number)) else { continue };
        let times = result.timestamps.unwrap_or_default();
        for (time, sum) in times.into_iter().zip(result.values.unwrap_or_default()) {
            let Ok(time) = Timestamp::from_second(time.secs()) else { continue };
            let counts = minutes.entry(time).or_default();
            let count = if id.starts_with("errors") { &mut counts.errors } else { &mut counts.requests };
            *count += whole(sum);
        }
    }
    complete
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of ones, clamped")]
fn whole(sum: f64) -> u64 {
    sum.clamp(0.0, 1e15).round() as u64
}

fn alarm_state(state: Option<&StateValue>, reason: Option<String>) -> AlarmState {
    match state {
        Some(StateValue::Ok) => AlarmState::Quiet,
        Some(StateValue::Alarm) => {
            AlarmState::Firing { reason: reason.unwrap_or_else(|| "no reason given".to_owned()) }
        }
        _ => AlarmState::NoData,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BALANCER: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/web/50dc";
    const GROUP: &str = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/73e2";

    fn result(id: &str, status: StatusCode, data: &[(i64, f64)]) -> MetricDataResult {
        MetricDataResult::builder()
            .id(id)
            .status_code(status)
            .set_timestamps(Some(data.iter().map(|(at, _)| DateTime::from_secs(*at)).collect()))
            .set_values(Some(data.iter().map(|(_, sum)| *sum).collect()))
            .build()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("a small number")
    }

    #[test]
    fn a_target_group_is_called_by_the_ends_of_its_arns() {
        let counted = CountedGroup { balancer: "app/web/50dc".into(), group: "targetgroup/web/73e2".into() };
        assert_eq!(CountedGroup::of(BALANCER, GROUP), Some(counted));
        assert_eq!(CountedGroup::of(GROUP, BALANCER), None);
    }

    #[test]
    fn a_query_asks_for_sums_of_one_group_a_minute() {
        let group = CountedGroup::of(BALANCER, GROUP).expect("ARNs");
        let query = query(1, ERRORS, &group);
        assert_eq!(query.id(), Some("errors1"));
        let stat = query.metric_stat().expect("a metric");
        assert_eq!((stat.period(), stat.stat()), (Some(60), Some("Sum")));
        let metric = stat.metric().expect("named");
        assert_eq!(metric.namespace(), Some("AWS/ApplicationELB"));
        assert_eq!(metric.metric_name(), Some("HTTPCode_Target_5XX_Count"));
        let dimensions: Vec<_> = metric.dimensions().iter().map(|d| (d.name(), d.value())).collect();
        let wanted = [
            (Some("LoadBalancer"), Some("app/web/50dc")),
            (Some("TargetGroup"), Some("targetgroup/web/73e2")),
        ];
        assert_eq!(dimensions, wanted);
    }

    #[test]
    fn series_come_together_by_minute_and_an_absent_5xx_is_none() {
        let mut minutes = [RequestMinutes::new(), RequestMinutes::new()];
        let results = vec![
            result("requests0", StatusCode::Complete, &[(600, 30.0), (660, 60.0)]),
            result("errors0", StatusCode::Complete, &[(660, 2.0)]),
            result("requests1", StatusCode::Complete, &[(600, 500.0)]),
            result("errors1", StatusCode::Complete, &[]),
            result("unknown9", StatusCode::Complete, &[(600, 1.0)]),
        ];
        assert!(collect(results, &mut minutes));
        let counts = |requests, errors| RequestCounts { requests, errors };
        assert_eq!(minutes[0], BTreeMap::from([(at(600), counts(30, 0)), (at(660), counts(60, 2))]));
        assert_eq!(minutes[1], BTreeMap::from([(at(600), counts(500, 0))]));
    }

    #[test]
    fn data_that_is_not_whole_is_told() {
        let mut minutes = [RequestMinutes::new()];
        let results = vec![
            result("requests0", StatusCode::Complete, &[(600, 30.0)]),
            result("errors0", StatusCode::InternalError, &[]),
        ];
        assert!(!collect(results, &mut minutes));
    }

    #[test]
    fn an_alarm_is_quiet_only_when_it_says_so() {
        assert_eq!(alarm_state(Some(&StateValue::Ok), None), AlarmState::Quiet);
        assert_eq!(alarm_state(Some(&StateValue::InsufficientData), None), AlarmState::NoData);
        assert_eq!(alarm_state(None, None), AlarmState::NoData);
        let firing = alarm_state(Some(&StateValue::Alarm), Some("Threshold Crossed".to_owned()));
        assert_eq!(firing, AlarmState::Firing { reason: "Threshold Crossed".to_owned() });
    }
}
