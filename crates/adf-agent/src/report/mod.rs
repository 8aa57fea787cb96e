//! The reporter: announces each stage before it starts, times it, ends it when the boot's time is over, tags
//! its errors, and keeps the instance's receipt.
//!
//! Neighbours: `boot` runs every stage through [`Reporter::stage`]; `writer.rs` carries receipts to
//! `<run_dir>/receipt.json` and to the state table. The rule: a receipt that cannot be written is tried
//! again and never stops or delays the app.

mod writer;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use adf_types::{
    AppName, DeployId, InstanceId, InstanceState, ProbeCounts, Receipt, ReleaseName, Stage, StageTiming,
};
use jiff::Timestamp;
use tokio::time::Instant;

pub use writer::{Delivery, path};

use crate::failure::{Failure, chain};
use crate::state::Memory;
use crate::world::{Table, systemd};
use writer::Writer;

/// What a stage reached, for the receipt.
pub trait Reached {
    fn record(&self, receipt: &mut Receipt);
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

#[derive(Clone)]
pub struct Reporter(Arc<Inner>);

struct Inner {
    run_dir: PathBuf,
    memory: Memory,
    deadline: Instant,
    boot_timeout: Duration,
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    stage: Option<Stage>,
    timings: Vec<StageTiming>,
    trouble: Option<String>,
    receipt: Option<Receipt>,
    writer: Option<Writer>,
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reporter")
    }
}

impl Reporter {
    /// The boot's time starts now.
    pub fn new(run_dir: PathBuf, memory: Memory, boot_timeout: Duration) -> Self {
        let deadline = Instant::now() + boot_timeout;
        Self(Arc::new(Inner { run_dir, memory, deadline, boot_timeout, ledger: Mutex::default() }))
    }

    /// For tests of a single part: nothing is written anywhere.
    #[cfg(test)]
    pub(crate) fn detached() -> Self {
        Self::new(PathBuf::new(), Memory::new("".as_ref()), Duration::from_mins(10))
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
        let started = Instant::now();
        let done = tokio::time::timeout_at(self.0.deadline, work).await;
        let reached =
            done.unwrap_or_else(|_| Err(self.out_of_time())).map_err(|failure| failure.at(stage))?;
        self.leave(stage, started.elapsed(), &reached);
        Ok(reached)
    }

    fn enter(&self, stage: Stage) {
        tracing::info!(stage = stage.as_str(), "{}", announcement(stage));
        systemd::status(announcement(stage));
        {
            let mut ledger = self.ledger();
            ledger.stage = Some(stage);
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
        let trouble = self.ledger().trouble.clone();
        let last = trouble.map(|t| format!("; last: {t}")).unwrap_or_default();
        Failure::transient(format!(
            "E190 the boot did not finish within its {} s (boot_timeout in agent.toml){last}",
            self.0.boot_timeout.as_secs()
        ))
    }

    /// How much of the boot's time is left.
    pub fn left(&self) -> Duration {
        self.0.deadline.saturating_duration_since(Instant::now())
    }

    /// Remembers what a retry is waiting for, so that running out of time can say it.
    pub fn trouble(&self, what: &str, error: &dyn std::error::Error) {
        self.ledger().trouble = Some(format!("{what}: {}", chain(error)));
    }

    /// From here on there is a receipt. Without a table it goes to the run folder only.
    pub fn begin(&self, subject: Subject, table: Option<Arc<dyn Table>>) {
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
            config_hash: None,
            ami: subject.ami,
            agent_version: env!("CARGO_PKG_VERSION").to_owned(),
            state: InstanceState::Booting { stage },
            timings: ledger.timings.clone(),
            probes: ProbeCounts::default(),
            restarts: restarts.unwrap_or_default(),
            updated_at: Timestamp::now(),
        });
        let undelivered = earlier.filter(|earlier| !earlier.delivered).map(|earlier| earlier.receipt);
        ledger.writer = Some(Writer::start(path(&self.0.run_dir), self.0.memory.clone(), table, undelivered));
        drop(ledger);
        self.publish(InstanceState::Booting { stage });
    }

    /// Changes the receipt's state and sends it off.
    pub fn publish(&self, new: InstanceState) {
        self.update(|receipt| receipt.state = new);
    }

    /// Changes the receipt and sends it off; without a receipt there is nothing to do.
    pub fn update(&self, change: impl FnOnce(&mut Receipt)) {
        let mut ledger = self.ledger();
        let Some(receipt) = &mut ledger.receipt else { return };
        change(receipt);
        receipt.updated_at = Timestamp::now();
        let receipt = receipt.clone();
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
