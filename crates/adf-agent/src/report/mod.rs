//! The reporter: announces each stage before it starts, times it, ends it when the boot's time is over, tags
//! its errors, and keeps the instance's receipt.
//!
//! Neighbours: `boot` runs every stage through [`Reporter::stage`]; `writer.rs` carries receipts to
//! `<run_dir>/receipt.json` and to the state table. The rule: a receipt that cannot be written is tried
//! again and never stops or delays the app.

mod boot_id;
mod reserve;
mod writer;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adf_types::{
    AppName, DeployId, InstanceId, InstanceState, ProbeCounts, Receipt, ReleaseName, Stage, StageTiming,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub use writer::{Delivered, Delivery, path};

use crate::failpoint::crossing;
use crate::failure::{Failure, chain};
use crate::log;
use crate::redact;
use crate::state::Memory;
use crate::status::Living;
use crate::world::{Host, Table, systemd};
use writer::Writer;

/// What a stage reached, for the receipt.
pub trait Reached {
    fn record(&self, receipt: &mut Receipt);
}

/// A stage that only took its time.
#[derive(Debug)]
pub struct Nothing;

impl Reached for Nothing {
    fn record(&self, _: &mut Receipt) {}
}

/// Whose receipt it is.
#[derive(Debug, Clone)]
pub struct Subject {
    pub instance: InstanceId,
    pub app: AppName,
    pub release: ReleaseName,
    pub deploy: Option<DeployId>,
    pub ami: Option<String>,
}

impl Subject {
    /// As the journal's fields.
    fn fields(&self) -> Vec<(&'static str, String)> {
        let deploy = self.deploy.as_ref().map(|deploy| ("ADF_DEPLOY", deploy.to_string()));
        let fields = [
            ("ADF_INSTANCE", self.instance.to_string()),
            ("ADF_APP", self.app.to_string()),
            ("ADF_RELEASE", self.release.to_string()),
        ];
        fields.into_iter().chain(deploy).collect()
    }
}

#[derive(Clone)]
pub struct Reporter(Arc<Inner>);

struct Inner {
    run_dir: PathBuf,
    memory: Memory,
    boot_timeout: Duration,
    host: Arc<dyn Host>,
    ledger: Mutex<Ledger>,
}

struct Ledger {
    /// When the boot's time is over.
    deadline: Instant,
    stage: Option<Stage>,
    /// Since when the stage, or later the state, is what it is.
    since: Timestamp,
    timings: Vec<StageTiming>,
    trouble: Option<Trouble>,
    container: Option<String>,
    next_restart: Option<Timestamp>,
    receipt: Option<Receipt>,
    writer: Option<Writer>,
}

/// The last thing that went wrong and was, or will be, tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// What is being tried, such as `Docker`.
    pub what: String,
    pub problem: String,
    pub at: Timestamp,
    pub next_try: Option<Timestamp>,
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reporter")
    }
}

impl Reporter {
    /// The boot's time starts now.
    pub fn new(run_dir: PathBuf, memory: Memory, boot_timeout: Duration, host: Arc<dyn Host>) -> Self {
        let ledger = Ledger {
            deadline: Instant::now() + boot_timeout,
            stage: None,
            since: host.now(),
            timings: Vec::new(),
            trouble: None,
            container: None,
            next_restart: None,
            receipt: None,
            writer: None,
        };
        Self(Arc::new(Inner { run_dir, memory, boot_timeout, host, ledger: Mutex::new(ledger) }))
    }

    /// Gives the boot its whole time again: an instance may stay in a warm pool for days.
    pub fn restart_clock(&self) {
        self.ledger().deadline = Instant::now() + self.0.boot_timeout;
    }

    /// For tests of a single part: nothing is written anywhere.
    #[cfg(test)]
    pub(crate) fn detached() -> Self {
        let host = Arc::new(crate::world::Linux);
        Self::new(PathBuf::new(), Memory::new("".as_ref()), Duration::from_mins(10), host)
    }

    fn deadline(&self) -> Instant {
        self.ledger().deadline
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one stage of the boot.
    pub async fn stage<T: Reached>(
        &self,
        stage: Stage,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        self.enter(stage);
        crossing("the beginning of a stage");
        let started = Instant::now();
        let done = tokio::time::timeout_at(self.deadline(), work).await;
        let reached =
            done.unwrap_or_else(|_| Err(self.out_of_time())).map_err(|failure| failure.at(stage))?;
        self.leave(stage, started.elapsed(), &reached);
        crossing("the end of a stage");
        Ok(reached)
    }

    fn enter(&self, stage: Stage) {
        log::tag([("ADF_STAGE", stage.to_string())]);
        tracing::info!(stage = stage.as_str(), "{}", announcement(stage));
        systemd::status(announcement(stage));
        {
            let mut ledger = self.ledger();
            ledger.stage = Some(stage);
            ledger.since = self.0.host.now();
            ledger.trouble = None;
        }
        self.publish(InstanceState::Booting { stage });
    }

    fn leave(&self, stage: Stage, took: Duration, reached: &impl Reached) {
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(stage = stage.as_str(), millis, "done");
        let mut ledger = self.ledger();
        ledger.timings.push(StageTiming { stage, millis });
        let timings = ledger.timings.clone();
        if let Some(receipt) = &mut ledger.receipt {
            receipt.timings = timings;
            reached.record(receipt);
        }
    }

    fn out_of_time(&self) -> Failure {
        let last = self.last_trouble().map(|t| format!("; last: {}: {}", t.what, t.problem));
        let last = last.unwrap_or_default();
        Failure::transient(format!(
            "E190 the boot did not finish within its {} s (boot_timeout in agent.toml){last}",
            self.0.boot_timeout.as_secs()
        ))
    }

    /// How much of the boot's time is left.
    pub fn left(&self) -> Duration {
        self.deadline().saturating_duration_since(Instant::now())
    }

    /// Remembers what a retry is waiting for, so that running out of time can say it.
    pub fn trouble(&self, what: &str, error: &dyn std::error::Error) {
        self.note_trouble(what, chain(error), None);
    }

    /// As [`trouble`](Self::trouble), when the next try is known.
    pub fn retrying(&self, what: &str, error: &dyn std::error::Error, delay: Duration) {
        self.note_trouble(what, chain(error), Some(delay));
    }

    pub fn note_trouble(&self, what: &str, problem: String, delay: Option<Duration>) {
        let at = self.0.host.now();
        let next_try = delay.and_then(|delay| at.checked_add(delay).ok());
        self.ledger().trouble = Some(Trouble { what: what.to_owned(), problem, at, next_try });
    }

    pub fn last_trouble(&self) -> Option<Trouble> {
        self.ledger().trouble.clone()
    }

    /// The container that is, or was last, the app.
    pub fn container(&self, id: &str) {
        self.ledger().container = Some(id.to_owned());
    }

    /// When the container is started again; none while it runs.
    pub fn next_restart(&self, delay: Option<Duration>) {
        let next = delay.and_then(|delay| self.0.host.now().checked_add(delay).ok());
        self.ledger().next_restart = next;
    }

    /// What `adf-agent status` shows of a living agent.
    pub fn living(&self) -> Living {
        let ledger = self.ledger();
        Living {
            pid: std::process::id(),
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            stage: ledger.stage,
            since: ledger.since,
            trouble: ledger.trouble.clone(),
            container: ledger.container.clone(),
            next_restart: ledger.next_restart,
            delivery: ledger.writer.as_ref().map(Writer::delivered),
            receipt: ledger.receipt.clone(),
        }
    }

    /// Something an operator should know, beside the state.
    pub fn notice(&self, text: impl Into<String>) {
        let text = text.into();
        self.update(|receipt| receipt.notice = Some(text));
    }

    /// From here on there is a receipt. Without a table it goes to the run folder only.
    pub fn begin(&self, subject: Subject, table: Option<Arc<dyn Table>>) {
        log::tag(subject.fields());
        let earlier = self.0.memory.recall(&subject.instance);
        let mut ledger = self.ledger();
        let stage = ledger.stage.unwrap_or(Stage::Claim);
        let restarts =
            earlier.as_ref().filter(|e| e.receipt.release == subject.release).map(|e| e.receipt.restarts);
        ledger.receipt = Some(Receipt {
            instance: subject.instance,
            app: subject.app,
            release: subject.release,
            release_digest: None,
            deploy: subject.deploy,
            image_id: None,
            image_source: None,
            image_fallback: None,
            image_builder: None,
            config_hash: None,
            ami: subject.ami,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            boot_id: boot_id::of(&self.0.run_dir),
            state: InstanceState::Booting { stage },
            timings: ledger.timings.clone(),
            probes: ProbeCounts::default(),
            restarts: restarts.unwrap_or_default(),
            notice: None,
            updated_at: self.0.host.now(),
        });
        let undelivered = earlier.filter(|earlier| !earlier.delivered).map(|earlier| earlier.receipt);
        ledger.writer = Some(Writer::start(path(&self.0.run_dir), self.0.memory.clone(), table, undelivered));
        drop(ledger);
        self.publish(InstanceState::Booting { stage });
    }

    /// The boot is over.
    pub fn supervising(&self) {
        log::tag([("ADF_STAGE", Stage::Supervise.to_string())]);
        let mut ledger = self.ledger();
        ledger.stage = Some(Stage::Supervise);
        ledger.since = self.0.host.now();
        ledger.trouble = None;
    }

    /// Changes the receipt's state and sends it off.
    pub fn publish(&self, new: InstanceState) {
        self.update(|receipt| receipt.state = new);
    }

    /// Changes the receipt and sends it off; without a receipt there is nothing to do.
    pub fn update(&self, change: impl FnOnce(&mut Receipt)) {
        let mut ledger = self.ledger();
        let Some(receipt) = &mut ledger.receipt else { return };
        let before = std::mem::discriminant(&receipt.state);
        change(receipt);
        mask(receipt);
        receipt.updated_at = self.0.host.now();
        let receipt = receipt.clone();
        if std::mem::discriminant(&receipt.state) != before {
            ledger.since = receipt.updated_at;
        }
        if let Some(writer) = &ledger.writer {
            writer.send(receipt);
        }
    }

    /// Waits until the last receipt is written, at most `limit`.
    pub async fn flush(&self, limit: Duration) -> Delivery {
        let written = self.ledger().writer.as_ref().map(Writer::written);
        match written {
            Some(written) => written.within(limit).await,
            None => Delivery::Nothing,
        }
    }
}

/// A reason, a notice or a last line may repeat what a build or the app said.
fn mask(receipt: &mut Receipt) {
    let mask = |text: &mut String| *text = redact::owned(std::mem::take(text));
    receipt.notice.iter_mut().for_each(mask);
    match &mut receipt.state {
        InstanceState::Unhealthy { reason } => mask(reason),
        InstanceState::Failed { reason, log_tail, .. } => {
            mask(reason);
            log_tail.iter_mut().for_each(mask);
        }
        _ => {}
    }
}

/// What an operator reads in `systemctl status`.
fn announcement(stage: Stage) -> &'static str {
    match stage {
        Stage::Identify => "identify: asking instance metadata who this is",
        Stage::Claim => "claim: finding out what to run and what is already here",
        Stage::Prepare => "prepare: reading config and getting the image",
        Stage::Start => "start: starting the container",
        Stage::Health => "health: waiting until the app is healthy",
        Stage::Ready => "ready: telling the Auto Scaling group",
        Stage::Supervise => "supervise: the app is serving",
    }
}
