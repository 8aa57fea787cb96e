//! One process's connection to AWS, with everything that can go wrong on it.
//!
//! The rule: whether a call fails is decided by who makes it, which operation it is and the how-manieth, so that the
//! order in which a process's own tasks run changes nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::{Region, SdkConfig};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::call::Call;
use crate::dice::Dice;
use crate::scenario::{Death, Weather};
use crate::stage::Stage;

/// Whose connection it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Party {
    Operator,
    Agent,
    /// Whoever looks from outside: no faults, no time, no trace.
    Nobody,
}

#[derive(Clone, Debug)]
pub(crate) struct Link(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    stage: Arc<Stage>,
    who: String,
    region: String,
    party: Party,
    weather: Weather,
    dies: Option<Death>,
    dead: AtomicBool,
    died: Notify,
    calls: AtomicU64,
    counts: Mutex<BTreeMap<String, u64>>,
}

impl Link {
    pub(crate) fn new(stage: &Arc<Stage>, who: &str, party: Party, weather: Weather) -> Self {
        Self::mortal(stage, who, party, weather, None)
    }

    /// A connection whose process ends at one of its calls.
    pub(crate) fn mortal(
        stage: &Arc<Stage>,
        who: &str,
        party: Party,
        weather: Weather,
        dies: Option<Death>,
    ) -> Self {
        static LINKS: AtomicU64 = AtomicU64::new(0);
        let region = format!("us-sim{}-1", LINKS.fetch_add(1, Ordering::Relaxed));
        Self(Arc::new(Inner {
            region,
            stage: stage.clone(),
            who: who.to_owned(),
            party,
            weather,
            dies,
            dead: AtomicBool::new(false),
            died: Notify::new(),
            calls: AtomicU64::new(0),
            counts: Mutex::default(),
        }))
    }

    /// In a region of its own, as far as the SDK knows: what a process may still retry is counted by region, for the
    /// whole of this process. [`Link::home`] brings the calls to where the cloud is.
    pub(crate) fn sdk_config(&self) -> SdkConfig {
        let config = self.0.stage.cloud.sdk_config_of(&self.0.who);
        let region = Region::new(self.0.region.clone());
        config.into_builder().region(region).http_client(SharedHttpClient::new(self.clone())).build()
    }

    fn home(&self, request: &mut HttpRequest) {
        let home = format!("/{}/", self.0.stage.cloud.region());
        let signed = request.headers().get("authorization").unwrap_or_default();
        let signed = signed.replacen(&format!("/{}/", self.0.region), &home, 1);
        request.headers_mut().insert("authorization", signed);
        let uri = request.uri().replacen(&self.0.region, self.0.stage.cloud.region(), 1);
        request.set_uri(uri).expect("a region's name in the place of another");
    }

    /// Returns when the process is dead.
    pub(crate) async fn died(&self) {
        let died = self.0.died.notified();
        if !self.0.dead.load(Ordering::SeqCst) {
            died.await;
        }
    }

    /// How often each operation was called.
    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.0.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn call(self, mut request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let inner = &self.0;
        self.home(&mut request);
        if inner.party == Party::Nobody {
            return inner.stage.cloud.call(request).await;
        }
        let call = Call::of(&request);
        let nth = inner.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let mut dice = inner.dice(&call);
        let took = inner.latency(&mut dice, &call);
        sleep(took / 2).await;
        if inner.dies == Some(Death { call: nth, after: false }) {
            self.die(&call, "before").await;
        }
        if let Some(refused) = inner.refused(&mut dice, &call) {
            sleep(took / 2).await;
            return refused;
        }
        inner.stage.before(&inner.who, inner.party, &call);
        let answer = inner.stage.cloud.call(request).await;
        inner.stage.after(&inner.who, inner.party, (nth, &call), &answer).await;
        if inner.dies == Some(Death { call: nth, after: true }) {
            self.die(&call, "after").await;
        }
        if dice.chance(inner.odds(inner.weather.lost)) {
            inner.fault("lost answer", &call);
            return Err(ConnectorError::timeout("the answer was lost".into()));
        }
        sleep(took / 2).await;
        answer
    }

    async fn die(&self, call: &Call, when: &str) {
        self.0.fault(if when == "before" { "death before a call" } else { "death after a call" }, call);
        self.0.dead.store(true, Ordering::SeqCst);
        self.0.died.notify_waiters();
        std::future::pending::<()>().await;
    }
}

impl Inner {
    fn dice(&self, call: &Call) -> Dice {
        let place = format!("{} {}", self.who, call.operation);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let nth = counts.entry(call.operation.clone()).or_default();
        *nth += 1;
        Dice::at(self.stage.seed, &place, *nth)
    }

    fn odds(&self, odds: f64) -> f64 {
        if self.party == Party::Agent { odds / 3.0 } else { odds }
    }

    /// DynamoDB answers in 5 to 20 ms, and now and then in up to 11 s; the others take longer.
    fn latency(&self, dice: &mut Dice, call: &Call) -> Duration {
        if dice.chance(self.odds(self.weather.slow)) {
            self.stage.tally(|tally| tally.fault("slow answer"));
            return dice.millis(300, 11_000);
        }
        if call.is_dynamodb() { dice.millis(5, 20) } else { dice.millis(30, 200) }
    }

    fn refused(&self, dice: &mut Dice, call: &Call) -> Option<Result<HttpResponse, ConnectorError>> {
        let weather = self.weather;
        if call.is_dynamodb() && self.stage.within(weather.outage) {
            self.fault("DynamoDB outage", call);
            return Some(Err(ConnectorError::timeout("DynamoDB does not answer".into())));
        }
        if self.party == Party::Operator && self.stage.within(weather.expired) {
            self.fault("expired credentials", call);
            let code = if call.service == "ec2" { "RequestExpired" } else { "ExpiredToken" };
            let code = if call.is_dynamodb() { "ExpiredTokenException" } else { code };
            return Some(Ok(call.refusal(
                403,
                code,
                "The security token included in the request is expired",
            )));
        }
        dice.chance(self.odds(weather.throttled)).then(|| {
            self.fault("throttled", call);
            Ok(throttled(dice, call))
        })
    }

    fn fault(&self, what: &'static str, call: &Call) {
        self.stage.tally(|tally| tally.fault(what));
        if self.party == Party::Operator {
            self.stage.trace.tell(&self.who, format!("!! {what}: {}", call.words()));
        }
    }
}

/// Throttling comes under many names.
fn throttled(dice: &mut Dice, call: &Call) -> HttpResponse {
    let (status, code, message) = match call.service.as_str() {
        "ec2" => (503, "RequestLimitExceeded", "Request limit exceeded."),
        "autoscaling" if dice.chance(0.3) => (400, "ValidationError", "Rate exceeded"),
        "dynamodb" if dice.chance(0.5) => (
            400,
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput for the table was exceeded.",
        ),
        "dynamodb" | "kms" => (400, "ThrottlingException", "Rate exceeded"),
        _ => (400, "Throttling", "Rate exceeded"),
    };
    call.refusal(status, code, message)
}

impl HttpClient for Link {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Link {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(Self::call(self.clone(), request))
    }
}
