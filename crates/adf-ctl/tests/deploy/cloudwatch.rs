//! CloudWatch, and a listener that shares requests by weight, in front of adf-local: what it counts follows from the weight
//! that the listener has, as it would with users.

use std::sync::{Arc, Mutex, PoisonError};

use adf_local::cloud::Cloud;
use aws_config::SdkConfig;
use aws_smithy_cbor::Encoder;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::DateTime;
use aws_smithy_types::body::SdkBody;

/// The weight of the fleet's target group.
pub(crate) const WEIGHT: u32 = 99;

/// Requests of a minute, of the canary while it has a weight and of the fleet always.
const CANARYS: f64 = 1_500.0;
const FLEETS: f64 = 4_500.0;

/// How long after its end a minute is seen.
const DELAY: i64 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alarm {
    Absent,
    Is(&'static str),
}

/// What users and CloudWatch do.
#[derive(Debug, Clone)]
pub(crate) struct Users {
    /// 5xx of a minute.
    pub(crate) canary_errors: f64,
    pub(crate) fleet_errors: f64,
    /// So many seconds after the canary got its weight nobody asks any more; below zero: before.
    pub(crate) leave_after: i64,
    pub(crate) alarm: Alarm,
    /// The alarm from the canary's traffic on.
    pub(crate) alarm_then: Alarm,
}

impl Users {
    pub(crate) fn content() -> Self {
        let quiet = Alarm::Is("OK");
        Self {
            canary_errors: 6.0,
            fleet_errors: 18.0,
            leave_after: i64::MAX,
            alarm: quiet,
            alarm_then: quiet,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Front {
    cloud: Cloud,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    users: Users,
    fleet: String,
    canary: String,
    /// The listener with the shared rule: the first of all.
    listener: Option<String>,
    weights: Vec<u32>,
    /// When the canary got a weight, in seconds.
    since: Option<i64>,
    /// Calls of `GetMetricData`.
    counted: u32,
}

impl Front {
    pub(crate) fn new(cloud: &Cloud, users: Users, fleet: &str, canary: &str) -> Self {
        let (fleet, canary) = (fleet.to_owned(), canary.to_owned());
        let state = State { users, fleet, canary, listener: None, weights: vec![0], since: None, counted: 0 };
        Self { cloud: cloud.clone(), state: Arc::new(Mutex::new(state)) }
    }

    pub(crate) fn sdk_config(&self) -> SdkConfig {
        self.cloud.sdk_config().into_builder().http_client(SharedHttpClient::new(self.clone())).build()
    }

    /// Every weight that the canary's target group had, in order.
    pub(crate) fn weights(&self) -> Vec<u32> {
        self.state(|state| state.weights.clone())
    }

    pub(crate) fn set_weight(&self, weight: u32) {
        self.state(|state| state.weights.push(weight));
    }

    pub(crate) fn counted(&self) -> u32 {
        self.state(|state| state.counted)
    }

    fn state<R>(&self, act: impl FnOnce(&mut State) -> R) -> R {
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `None` for what adf-local plays.
    fn answer(&self, request: &HttpRequest) -> Option<Vec<u8>> {
        let now = self.cloud.now().as_second();
        if request.uri().ends_with("/operation/GetMetricData") {
            return Some(self.state(|state| state.metric_data(now)));
        }
        if request.uri().ends_with("/operation/DescribeAlarms") {
            return Some(self.state(|state| state.alarms()));
        }
        let body = String::from_utf8_lossy(request.body().bytes()?).into_owned();
        match body.split('&').find_map(|pair| pair.strip_prefix("Action="))? {
            "DescribeRules" => {
                let listener = body.split('&').find_map(|pair| pair.strip_prefix("ListenerArn="))?;
                Some(self.state(|state| state.rules(listener)))
            }
            "ModifyListener" => {
                let weight = "DefaultActions.member.1.ForwardConfig.TargetGroups.member.2.Weight=";
                let weight = body.split('&').find_map(|pair| pair.strip_prefix(weight))?.parse().ok()?;
                Some(self.state(|state| state.weigh(weight, now)))
            }
            _ => None,
        }
    }
}

impl State {
    fn weigh(&mut self, weight: u32, now: i64) -> Vec<u8> {
        self.weights.push(weight);
        self.since = (weight > 0).then_some(now);
        b"<ModifyListenerResponse><ModifyListenerResult/></ModifyListenerResponse>".to_vec()
    }

    fn rules(&mut self, listener: &str) -> Vec<u8> {
        if self.listener.get_or_insert_with(|| listener.to_owned()) != listener {
            let none = "<DescribeRulesResponse><DescribeRulesResult/></DescribeRulesResponse>";
            return none.into();
        }
        let member = |arn: &str, weight: u32| {
            format!("<member><TargetGroupArn>{arn}</TargetGroupArn><Weight>{weight}</Weight></member>")
        };
        let canarys = self.weights.last().copied().unwrap_or_default();
        let members = member(&self.fleet, WEIGHT) + &member(&self.canary, canarys);
        format!(
            "<DescribeRulesResponse><DescribeRulesResult><Rules><member><RuleArn>arn:rule</RuleArn>\
             <IsDefault>true</IsDefault><Actions><member><Type>forward</Type><ForwardConfig><TargetGroups>\
             {members}</TargetGroups></ForwardConfig></member></Actions></member></Rules>\
             </DescribeRulesResult></DescribeRulesResponse>"
        )
        .into_bytes()
    }

    fn metric_data(&mut self, now: i64) -> Vec<u8> {
        self.counted += 1;
        let minutes: Vec<i64> = (0..now / 60).map(|m| m * 60).filter(|m| m + 60 + DELAY <= now).collect();
        let since = self.since.unwrap_or(i64::MAX);
        let asked = |minute: i64| minute < since.saturating_add(self.users.leave_after);
        let canarys = |minute: i64| minute + 60 > since && asked(minute);
        let series = |id: &str, count: f64, there: &dyn Fn(i64) -> bool| {
            let there = minutes.iter().copied().filter(|minute| there(*minute)).collect::<Vec<i64>>();
            (id.to_owned(), count, there)
        };
        let all = [
            series("requests0", CANARYS, &canarys),
            series("errors0", self.users.canary_errors, &|m| canarys(m) && self.users.canary_errors > 0.0),
            series("requests1", FLEETS, &asked),
            series("errors1", self.users.fleet_errors, &|m| asked(m) && self.users.fleet_errors > 0.0),
        ];
        let mut cbor = Encoder::new(Vec::new());
        cbor.map(1).str("MetricDataResults").array(all.len());
        for (id, count, minutes) in all {
            cbor.map(4).str("Id").str(&id).str("StatusCode").str("Complete");
            cbor.str("Timestamps").array(minutes.len());
            for minute in &minutes {
                cbor.timestamp(&DateTime::from_secs(*minute));
            }
            cbor.str("Values").array(minutes.len());
            for _ in &minutes {
                cbor.double(count);
            }
        }
        cbor.into_writer()
    }

    fn alarms(&self) -> Vec<u8> {
        let alarm = if self.since.is_some() { self.users.alarm_then } else { self.users.alarm };
        let mut cbor = Encoder::new(Vec::new());
        cbor.map(1).str("MetricAlarms");
        match alarm {
            Alarm::Absent => cbor.array(0),
            Alarm::Is(state) => {
                cbor.array(1).map(3).str("AlarmName").str("web-5xx");
                cbor.str("StateValue").str(state).str("StateReason").str("Threshold Crossed: 2 datapoints")
            }
        };
        cbor.into_writer()
    }
}

impl HttpClient for Front {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Front {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(body) = self.answer(&request) else { return self.cloud.call(request) };
        HttpConnectorFuture::new(async move {
            let status = StatusCode::try_from(200_u16).expect("a status");
            let mut answer = HttpResponse::new(status, SdkBody::from(body));
            answer.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
            Ok(answer)
        })
    }
}
