//! `POST /service/GraniteServiceVersion20100801/operation/GetMetricData` with CBOR, or `X-Amz-Target` with JSON.
//! Sources: <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>,
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html>

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

/// What a request speaks: Smithy RPC v2 with CBOR, as the SDKs for Rust do, or JSON 1.0, as boto3 does.
#[derive(Clone, Copy)]
enum Protocol {
    Cbor,
    Json,
}

/// The operation that a request names, in its path or in its target.
pub(crate) fn operation(request: &MockRequest) -> Option<&str> {
    let of_path = request.uri.split('?').next().and_then(|path| path.split_once("/operation/"));
    if let Some((_, operation)) = of_path {
        return Some(operation.trim_end_matches('/'));
    }
    let target = request.headers.get("x-amz-target")?.to_str().ok()?;
    target.rsplit_once('.').map(|(_, operation)| operation)
}

impl Cloud {
    /// Answers a request to CloudWatch.
    pub(crate) fn monitoring(&self, request: &MockRequest) -> MockResponse {
        let wire = Protocol::of(request);
        let answer = match operation(request) {
            Some("GetMetricData") => wire
                .read(request)
                .and_then(|input| self.get_metric_data(&input))
                .map(|it| wire.write(200, &it)),
            Some("DescribeAlarms") => {
                wire.read(request).map(|input| self.describe_alarms(&input)).map(|it| wire.write(200, &it))
            }
            Some("PutMetricData") => wire
                .read(request)
                .and_then(|input| self.put_metric_data(input))
                .map(|it| wire.write(200, &it)),
            Some("PutMetricAlarm") => {
                wire.read(request).map(|input| self.put_metric_alarm(&input)).map(|it| wire.write(200, &it))
            }
            Some("SetAlarmState") => wire
                .read(request)
                .and_then(|input| self.set_alarm_state(&input))
                .map(|it| wire.write(200, &it)),
            other => Err(Refusal(
                "InvalidAction",
                format!("adf-local does not play {} of CloudWatch", other.unwrap_or("this protocol")),
            )),
        };
        answer.unwrap_or_else(|refusal| wire.refuse(400, refusal))
    }

    fn get_metric_data(&self, input: &GetMetricDataInput) -> Result<GetMetricDataOutput, Refusal> {
        let delay = self.model(|model, _| model.weather().metrics_delay);
        let published = delay.map_or(Timestamp::MAX, |delay| self.now() - delay);
        let asked = input.metric_data_queries.iter().filter(|query| query.return_data != Some(false));
        let metric_data_results =
            asked.map(|query| self.result(query, input, published.as_second())).collect::<Result<_, _>>()?;
        Ok(GetMetricDataOutput { metric_data_results, messages: Vec::new() })
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

    fn describe_alarms(&self, input: &DescribeAlarmsInput) -> DescribeAlarmsOutput {
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
        DescribeAlarmsOutput { metric_alarms: found.map(described).collect(), composite_alarms: [] }
    }

    fn put_metric_data(&self, input: PutMetricDataInput) -> Result<Empty, Refusal> {
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
        Ok(Empty {})
    }

    fn put_metric_alarm(&self, input: &AlarmName) -> Empty {
        self.cloudwatch().inner().alarms.create(&input.alarm_name, self.now());
        Empty {}
    }

    fn set_alarm_state(&self, input: &SetAlarmStateInput) -> Result<Empty, Refusal> {
        if !self.cloudwatch().inner().alarms.exists(&input.alarm_name) {
            return Err(Refusal("ResourceNotFound", format!("no alarm {}", input.alarm_name)));
        }
        let state =
            AlarmState::parse(&input.state_value).ok_or_else(|| invalid("no such state of an alarm"))?;
        self.set_alarm(&input.alarm_name, state, &input.state_reason);
        Ok(Empty {})
    }
}

impl Protocol {
    fn of(request: &MockRequest) -> Self {
        if request.headers.contains_key("x-amz-target") { Self::Json } else { Self::Cbor }
    }

    fn read<T: for<'a> Deserialize<'a>>(self, request: &MockRequest) -> Result<T, Refusal> {
        let read = match self {
            Self::Cbor => ciborium::from_reader(&request.body[..]).map_err(|error| error.to_string()),
            Self::Json => serde_json::from_slice(&request.body).map_err(|error| error.to_string()),
        };
        read.map_err(|error| Refusal("SerializationException", format!("the body cannot be read: {error}")))
    }

    fn write<T: Serialize>(self, status: u16, output: &T) -> MockResponse {
        const PLAIN: &str = "these types are plain, and memory takes all";
        match self {
            Self::Cbor => {
                let mut body = Vec::new();
                ciborium::into_writer(output, &mut body).expect(PLAIN);
                MockResponse::cbor(status, body)
            }
            Self::Json => MockResponse::json(status, serde_json::to_string(output).expect(PLAIN)),
        }
    }

    fn refuse(self, status: u16, Refusal(code, message): Refusal) -> MockResponse {
        let shape = format!("com.amazonaws.cloudwatch#{code}");
        self.write(status, &Refused { shape, message })
    }
}

/// The answer to a caller who lacks a permission.
pub(crate) fn denial(request: &MockRequest, message: &str) -> MockResponse {
    Protocol::of(request).refuse(403, Refusal("AccessDenied", message.to_owned()))
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
    Time(second as f64)
}
