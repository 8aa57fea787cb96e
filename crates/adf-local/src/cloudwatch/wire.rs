//! Smithy RPC v2 with CBOR: `POST /service/GraniteServiceVersion20100801/operation/GetMetricData`.
//! Source: <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>

use ciborium::tag::Required;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use winterbaume_core::{MockRequest, MockResponse, default_account_id};

use super::alarms::{Alarm, AlarmState};
use super::metrics::{MINUTE, Span, Statistic};
use super::shapes::{
    AlarmName, DescribeAlarmsInput, DescribeAlarmsOutput, Empty, GetMetricDataInput, GetMetricDataOutput,
    MetricAlarm, MetricDataQuery, MetricDataResult, MetricName, PutMetricDataInput, Refused,
    SetAlarmStateInput, Time,
};
use crate::cloud::Cloud;

struct Refusal(&'static str, String);
type Answer = Result<MockResponse, Refusal>;

/// The operation that a request's path names.
pub(crate) fn operation(request: &MockRequest) -> Option<&str> {
    let path = request.uri.split('?').next()?;
    let (_, operation) = path.split_once("/service/")?.1.split_once("/operation/")?;
    Some(operation.trim_end_matches('/'))
}

impl Cloud {
    /// Answers a request to CloudWatch.
    pub(crate) fn monitoring(&self, request: &MockRequest) -> MockResponse {
        let answer = match operation(request) {
            Some("GetMetricData") => read(request).and_then(|input| self.get_metric_data(&input)),
            Some("DescribeAlarms") => read(request).map(|input| self.describe_alarms(&input)),
            Some("PutMetricData") => read(request).and_then(|input| self.put_metric_data(input)),
            Some("PutMetricAlarm") => read(request).map(|input| self.put_metric_alarm(&input)),
            Some("SetAlarmState") => read(request).and_then(|input| self.set_alarm_state(&input)),
            other => Err(Refusal(
                "InvalidAction",
                format!("adf-local does not play {} of CloudWatch", other.unwrap_or("this protocol")),
            )),
        };
        answer.unwrap_or_else(refused)
    }

    fn get_metric_data(&self, input: &GetMetricDataInput) -> Answer {
        let delay = self.model(|model, _| model.weather().metrics_delay);
        let published = delay.map_or(Timestamp::MAX, |delay| self.now() - delay);
        let asked = input.metric_data_queries.iter().filter(|query| query.return_data != Some(false));
        let metric_data_results =
            asked.map(|query| self.result(query, input, published.as_second())).collect::<Result<_, _>>()?;
        Ok(encoded(200, &GetMetricDataOutput { metric_data_results, messages: Vec::new() }))
    }

    fn result(
        &self,
        query: &MetricDataQuery,
        input: &GetMetricDataInput,
        published: i64,
    ) -> Result<MetricDataResult, Refusal> {
        let Some(stat) = &query.metric_stat else {
            return Err(invalid("adf-local plays metric queries with a MetricStat, not expressions"));
        };
        let statistic = Statistic::parse(&stat.stat)
            .ok_or_else(|| invalid(&format!("adf-local does not play the statistic {}", stat.stat)))?;
        if stat.period <= 0 || stat.period % MINUTE != 0 {
            return Err(invalid("the period must be a multiple of 60 seconds"));
        }
        let span = Span {
            start: second(input.start_time.0),
            end: second(input.end_time.0),
            period: stat.period,
            published,
        };
        let mut data = self.cloudwatch().inner().metrics.data(&stat.metric.clone().into(), statistic, span);
        if input.scan_by.as_deref() != Some("TimestampAscending") {
            data.reverse();
        }
        Ok(MetricDataResult {
            id: query.id.clone(),
            label: query.label.clone().unwrap_or_else(|| stat.metric.name.clone()),
            timestamps: data.iter().map(|(at, _)| time(*at)).collect(),
            values: data.into_iter().map(|(_, value)| value).collect(),
            status_code: "Complete",
        })
    }

    fn describe_alarms(&self, input: &DescribeAlarmsInput) -> MockResponse {
        let inner = self.cloudwatch().inner();
        let wanted = |(name, alarm): &(&String, &Alarm)| {
            input.alarm_names.as_ref().is_none_or(|names| names.is_empty() || names.contains(name))
                && input.alarm_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str()))
                && input.state_value.as_ref().is_none_or(|state| alarm.state.name() == state)
        };
        let found = inner.alarms.iter().filter(wanted);
        let described = |(name, alarm): (&String, &Alarm)| MetricAlarm {
            alarm_name: name.clone(),
            alarm_arn: format!("arn:aws:cloudwatch:{}:{}:alarm:{name}", self.region(), default_account_id()),
            state_value: alarm.state.name(),
            state_reason: alarm.reason.clone(),
            state_updated_timestamp: time(alarm.updated_at.as_second()),
        };
        let output =
            DescribeAlarmsOutput { metric_alarms: found.map(described).collect(), composite_alarms: [] };
        encoded(200, &output)
    }

    fn put_metric_data(&self, input: PutMetricDataInput) -> Answer {
        for datum in input.metric_data {
            let name = MetricName {
                namespace: input.namespace.clone(),
                name: datum.metric_name,
                dimensions: datum.dimensions,
            };
            let at = datum.timestamp.map_or(Ok(self.now()), |at| Timestamp::from_second(second(at.0)));
            let at = at.map_err(|_| invalid("the timestamp is out of range"))?;
            let value = datum.value.ok_or_else(|| invalid("adf-local plays metric data with a Value"))?;
            self.add_metric(&name.into(), value, 1, at);
        }
        Ok(encoded(200, &Empty {}))
    }

    fn put_metric_alarm(&self, input: &AlarmName) -> MockResponse {
        self.cloudwatch().inner().alarms.create(&input.alarm_name, self.now());
        encoded(200, &Empty {})
    }

    fn set_alarm_state(&self, input: &SetAlarmStateInput) -> Answer {
        if !self.cloudwatch().inner().alarms.exists(&input.alarm_name) {
            return Err(Refusal("ResourceNotFound", format!("no alarm {}", input.alarm_name)));
        }
        let state =
            AlarmState::parse(&input.state_value).ok_or_else(|| invalid("no such state of an alarm"))?;
        self.set_alarm(&input.alarm_name, state, &input.state_reason);
        Ok(encoded(200, &Empty {}))
    }
}

fn read<T: for<'a> Deserialize<'a>>(request: &MockRequest) -> Result<T, Refusal> {
    ciborium::from_reader(&request.body[..])
        .map_err(|error| Refusal("SerializationException", format!("the body cannot be read: {error}")))
}

fn encoded<T: Serialize>(status: u16, output: &T) -> MockResponse {
    let mut body = Vec::new();
    ciborium::into_writer(output, &mut body).expect("these types are plain, and memory takes all");
    MockResponse::cbor(status, body)
}

fn refused(Refusal(code, message): Refusal) -> MockResponse {
    let shape = format!("com.amazonaws.cloudwatch#{code}");
    encoded(400, &Refused { shape, message })
}

/// The answer to a caller who lacks a permission.
pub(crate) fn denial(message: &str) -> MockResponse {
    refused(Refusal("AccessDenied", message.to_owned()))
}

fn invalid(message: &str) -> Refusal {
    Refusal("InvalidParameterValue", message.to_owned())
}

#[expect(clippy::cast_possible_truncation, reason = "a time on the calendar, in whole seconds")]
fn second(time: f64) -> i64 {
    time as i64
}

#[expect(clippy::cast_precision_loss, reason = "a time on the calendar, in whole seconds")]
fn time(second: i64) -> Time {
    Required(second as f64)
}
