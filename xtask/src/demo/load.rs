//! Steady load on the load balancer, counted exactly.
//!
//! Open loop: a request is sent when its time has come, whether or not the ones before it were answered, so a
//! pause of the app shows as many late answers and not as one. The rule: whatever is not status 200 with a body
//! that a release may give, within [`TIMEOUT`], has failed, and the first failures are told word for word.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper::{Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::MissedTickBehavior;

use crate::failure::{Failure, Result, While};

/// Requests a second.
pub(super) const RATE: u32 = 250;

/// An answer later than this is no answer.
const TIMEOUT: Duration = Duration::from_secs(5);

/// So many failures are kept word for word; all are counted.
const TOLD: usize = 8;

/// What came of the load so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    pub(super) sent: u64,
    pub(super) failed: u64,
    /// Good answers by the release that gave them.
    pub(super) answers: BTreeMap<&'static str, u64>,
    pub(super) failures: Vec<String>,
    /// Milliseconds from the time a request was due to its whole answer.
    latencies: Vec<f64>,
}

impl Counts {
    pub(super) fn ok(&self) -> u64 {
        self.answers.values().sum()
    }

    pub(super) fn of(&self, release: &str) -> u64 {
        self.answers.get(release).copied().unwrap_or_default()
    }

    /// What came after `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let answers = self.answers.iter().map(|(release, count)| (*release, count - earlier.of(release)));
        Self {
            sent: self.sent - earlier.sent,
            failed: self.failed - earlier.failed,
            answers: answers.filter(|(_, count)| *count > 0).collect(),
            failures: self.failures[earlier.failures.len()..].to_vec(),
            latencies: self.latencies[earlier.latencies.len()..].to_vec(),
        }
    }

    /// The latency that this share of the requests (0 to 1) stayed within, in milliseconds.
    pub(super) fn latency(&self, share: f64) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_by(f64::total_cmp);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place in a list of some ten thousand"
        )]
        let place = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
        sorted.get(place).copied().unwrap_or_default()
    }
}

/// A release and the body that it answers with.
pub(super) type Answer = (&'static str, String);

/// Load that is running.
#[derive(Debug)]
pub(super) struct Load {
    counts: Arc<Mutex<Counts>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    started: Instant,
}

impl Load {
    pub(super) fn start(target: SocketAddr, answers: Vec<Answer>) -> Result<Self> {
        let uri: Uri = format!("http://{target}/").parse().while_("the load balancer's address")?;
        let counts = Arc::new(Mutex::new(Counts::default()));
        let (stop, stopped) = watch::channel(false);
        let asker = Asker { client: client(), uri, answers: answers.into(), counts: Arc::clone(&counts) };
        let task = tokio::spawn(asker.ask_steadily(stopped));
        Ok(Self { counts, stop, task, started: Instant::now() })
    }

    pub(super) fn counts(&self) -> Counts {
        lock(&self.counts).clone()
    }

    /// Since when it has been running.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Sends no more, waits for the last answers, and returns the totals.
    pub(super) async fn finish(self) -> Result<Counts> {
        self.stop.send_replace(true);
        self.task.await.map_err(|error| Failure::new(format!("the load generator broke: {error}")))?;
        Ok(lock(&self.counts).clone())
    }
}

#[derive(Debug, Clone)]
struct Asker {
    client: Client<HttpConnector, Empty<Bytes>>,
    uri: Uri,
    answers: Arc<[Answer]>,
    counts: Arc<Mutex<Counts>>,
}

fn client() -> Client<HttpConnector, Empty<Bytes>> {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    Client::builder(TokioExecutor::new()).build(connector)
}

impl Asker {
    async fn ask_steadily(self, mut stopped: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(Duration::from_secs(1) / RATE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        let started = Instant::now();
        let mut in_flight = JoinSet::new();
        loop {
            let due = tokio::select! {
                due = ticks.tick() => due,
                _ = stopped.changed() => break,
            };
            lock(&self.counts).sent += 1;
            let asker = self.clone();
            in_flight.spawn(async move { asker.ask(started, due.into_std()).await });
            while in_flight.try_join_next().is_some() {}
        }
        in_flight.join_all().await;
    }

    async fn ask(&self, started: Instant, due: Instant) {
        let answer = tokio::time::timeout(TIMEOUT, self.answer()).await;
        let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {} s", TIMEOUT.as_secs())));
        let mut counts = lock(&self.counts);
        counts.latencies.push(due.elapsed().as_secs_f64() * 1000.0);
        match answer {
            Ok(release) => *counts.answers.entry(release).or_default() += 1,
            Err(reason) => {
                counts.failed += 1;
                if counts.failures.len() < TOLD {
                    counts.failures.push(format!("{:.2} s: {reason}", (due - started).as_secs_f64()));
                }
            }
        }
    }

    /// The release that answered, or why this was no answer.
    async fn answer(&self) -> std::result::Result<&'static str, String> {
        let answer = self.client.get(self.uri.clone()).await.map_err(chain)?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(chain)?.to_bytes();
        let body = String::from_utf8_lossy(&body);
        let release =
            self.answers.iter().find(|(_, expected)| *expected == body).map(|(release, _)| *release);
        match release {
            Some(release) if status == 200 => Ok(release),
            _ => Err(format!("{status}: {:?}", body.chars().take(120).collect::<String>())),
        }
    }
}

/// The body of one request, for knowing when there is anything to put load on.
pub(super) async fn body(target: SocketAddr) -> std::result::Result<String, String> {
    let request = Request::get(format!("http://{target}/")).body(Empty::<Bytes>::new()).map_err(chain)?;
    let answer = client().request(request).await.map_err(chain)?;
    let body = answer.into_body().collect().await.map_err(chain)?.to_bytes();
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn chain(error: impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// A counter is whole after every statement, so a panic elsewhere does not spoil it.
fn lock(counts: &Mutex<Counts>) -> MutexGuard<'_, Counts> {
    counts.lock().unwrap_or_else(PoisonError::into_inner)
}
