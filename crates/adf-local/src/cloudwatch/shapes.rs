//! What CloudWatch's requests and answers look like, as far as they are played.
//! Source: the "Amazon CloudWatch API Reference".

use ciborium::tag::Required;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::metrics::Metric;

/// Seconds since 1970: a plain number in JSON, a tagged one in CBOR.
#[derive(Clone, Copy)]
pub(super) struct Time(pub(super) f64);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.0.serialize(serializer);
        }
        Required::<f64, 1>(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return f64::deserialize(deserializer).map(Self);
        }
        Required::<f64, 1>::deserialize(deserializer).map(|time| Self(time.0))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricDataInput {
    pub(super) metric_data_queries: Vec<MetricDataQuery>,
    pub(super) start_time: Time,
    pub(super) end_time: Time,
    pub(super) scan_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricDataQuery {
    pub(super) id: String,
    pub(super) label: Option<String>,
    pub(super) metric_stat: Option<MetricStat>,
    pub(super) return_data: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricStat {
    pub(super) metric: MetricName,
    pub(super) period: i64,
    pub(super) stat: String,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricName {
    pub(super) namespace: String,
    #[serde(rename = "MetricName")]
    pub(super) name: String,
    #[serde(default)]
    pub(super) dimensions: Vec<Dimension>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Dimension {
    pub(super) name: String,
    pub(super) value: String,
}

impl From<MetricName> for Metric {
    fn from(it: MetricName) -> Self {
        let dimensions = it.dimensions.into_iter().map(|it| (it.name, it.value)).collect();
        Self { namespace: it.namespace, name: it.name, dimensions }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeAlarmsInput {
    pub(super) alarm_names: Option<Vec<String>>,
    pub(super) alarm_name_prefix: Option<String>,
    pub(super) state_value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PutMetricDataInput {
    pub(super) namespace: String,
    #[serde(default)]
    pub(super) metric_data: Vec<MetricDatum>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricDatum {
    pub(super) metric_name: String,
    #[serde(default)]
    pub(super) dimensions: Vec<Dimension>,
    pub(super) timestamp: Option<Time>,
    pub(super) value: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AlarmName {
    pub(super) alarm_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SetAlarmStateInput {
    pub(super) alarm_name: String,
    pub(super) state_value: String,
    #[serde(default)]
    pub(super) state_reason: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct GetMetricDataOutput {
    pub(super) metric_data_results: Vec<MetricDataResult>,
    pub(super) messages: Vec<Empty>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricDataResult {
    pub(super) id: String,
    pub(super) label: String,
    pub(super) timestamps: Vec<Time>,
    pub(super) values: Vec<f64>,
    pub(super) status_code: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DescribeAlarmsOutput {
    pub(super) metric_alarms: Vec<MetricAlarm>,
    pub(super) composite_alarms: [Empty; 0],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct MetricAlarm {
    pub(super) alarm_name: String,
    pub(super) alarm_arn: String,
    pub(super) state_value: &'static str,
    pub(super) state_reason: String,
    pub(super) state_updated_timestamp: Time,
}

#[derive(Serialize)]
pub(super) struct Refused {
    #[serde(rename = "__type")]
    pub(super) shape: String,
    pub(super) message: String,
}

#[derive(Serialize)]
pub(super) struct Empty {}
