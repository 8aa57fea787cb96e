//! What all parts of one deploy world share: the cloud, the instances' engines, the trace, the counts, the oracle.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use adf_local::cloud::Cloud;
use adf_store::Store;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use jiff::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::SENTINEL;
use crate::call::Call;
use crate::engine::{Engine, PASSES};
use crate::link::Party;
use crate::oracle::Oracle;
use crate::scenario::Scenario;
use crate::tally::Tally;
use crate::trace::Trace;

#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) seed: u64,
    pub(crate) cloud: Cloud,
    pub(crate) trace: Trace,
    pub(crate) oracle: Oracle,
    tally: Mutex<Tally>,
    engines: Mutex<BTreeMap<String, Arc<Engine>>>,
    /// When the operators began.
    began: OnceLock<Instant>,
    violation: OnceLock<String>,
    violated: Notify,
    /// A connection without faults, for looking.
    store: OnceLock<Store>,
}

impl Stage {
    pub(crate) fn of(scenario: &Scenario) -> Arc<Self> {
        let cloud = Cloud::with_settings(scenario.settings.clone(), scenario.seed, Timestamp::UNIX_EPOCH);
        Arc::new(Self {
            seed: scenario.seed,
            cloud,
            trace: Trace::new(),
            oracle: Oracle::of(scenario),
            tally: Mutex::default(),
            engines: Mutex::default(),
            began: OnceLock::new(),
            violation: OnceLock::new(),
            violated: Notify::new(),
            store: OnceLock::new(),
        })
    }

    pub(crate) fn tally<R>(&self, count: impl FnOnce(&mut Tally) -> R) -> R {
        count(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From here on the weather is AWS's own, and the oracle looks.
    pub(crate) fn begin(&self, scenario: &Scenario) {
        self.cloud.model(|model, _| model.set_weather(scenario.sky.clone()));
        let _ = self.began.set(Instant::now());
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.began.get().is_some()
    }

    /// Whether the operators' time is between these.
    pub(crate) fn within(&self, window: Option<(Duration, Duration)>) -> bool {
        let elapsed = self.began.get().map(Instant::elapsed);
        window.zip(elapsed).is_some_and(|((from, lasts), now)| now >= from && now < from + lasts)
    }

    pub(crate) fn keep_engine(&self, engine: &Arc<Engine>) {
        let mut engines = self.engines.lock().unwrap_or_else(PoisonError::into_inner);
        engines.insert(engine.instance.clone(), engine.clone());
    }

    pub(crate) fn engine(&self, instance: &str) -> Option<Arc<Engine>> {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner).get(instance).cloned()
    }

    pub(crate) fn keep_store(&self, store: Store) {
        let _ = self.store.set(store);
    }

    pub(crate) fn store(&self) -> &Store {
        self.known_store().expect("the account is founded first")
    }

    pub(crate) fn known_store(&self) -> Option<&Store> {
        self.store.get()
    }

    /// A rule is broken: the world ends here.
    pub(crate) fn violate(&self, what: String) {
        self.trace.tell("ORACLE", &what);
        let _ = self.violation.set(what);
        self.violated.notify_waiters();
        self.violated.notify_one();
    }

    pub(crate) fn violation(&self) -> Option<&String> {
        self.violation.get()
    }

    /// Returns when a rule is broken.
    pub(crate) async fn broken(&self) {
        if self.violation.get().is_none() {
            self.violated.notified().await;
        }
    }

    /// Counts a check, and ends the world if it does not hold.
    pub(crate) fn check(&self, rule: &'static str, holds: bool, otherwise: impl FnOnce() -> String) {
        self.tally(|tally| tally.checked(rule));
        if !holds && self.violation.get().is_none() {
            self.violate(format!("{rule}: {}", otherwise()));
        }
    }

    pub(crate) fn before(&self, who: &str, party: Party, call: &Call) {
        let clear = call.body.windows(SENTINEL.len()).any(|part| part == SENTINEL.as_bytes());
        self.check("a secret is never in clear", !clear, || format!("{who} sends it: {}", call.words()));
        if party == Party::Operator && call.operation == "SetDesiredCapacity" {
            self.oracle.grown();
        }
        if party == Party::Agent
            && call.operation == "CompleteLifecycleAction"
            && call.parameter("LifecycleActionResult").as_deref() == Some("CONTINUE")
        {
            let passes = self.engine(who).map_or(0, |engine| engine.passes());
            self.ran(who);
            self.check("CONTINUE follows K health passes", passes >= PASSES, || {
                format!("{who} continues after {passes}")
            });
        }
    }

    pub(crate) async fn after(
        &self,
        who: &str,
        party: Party,
        (nth, call): (u64, &Call),
        answer: &Result<HttpResponse, ConnectorError>,
    ) {
        self.tally(|tally| tally.played("calls", 1));
        if !call.writes() {
            return;
        }
        let status = answer.as_ref().map_or(0, |answer| answer.status().as_u16());
        let counts =
            call.operation == "PutItem" && party == Party::Agent && self.oracle.is_old_news(who, call);
        if !counts {
            let refused = if status == 200 { String::new() } else { format!(" => {status}") };
            let nth = if party == Party::Operator { format!(" (call {nth})") } else { String::new() };
            self.trace.tell(who, call.words() + &refused + &nth);
        }
        if self.has_begun() && party == Party::Operator {
            self.look();
            if call.is_dynamodb() && call.body.windows(10).any(|part| part == b"adf-config") {
                self.overlays().await;
            }
        }
    }
}
