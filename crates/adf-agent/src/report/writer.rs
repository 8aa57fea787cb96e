//! Carries receipts to the run folder, to the agent's memory and to the state table.
//!
//! A receipt says all there is about an instance, so a queue of them is one long: the latest. One that did not reach
//! the table before the agent ended is remembered on disk and sent first after its next start.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use adf_types::{InstanceState, Receipt};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::reserve::Reserve;
use crate::failure::{Fault as _, Kind, chain};
use crate::private;
use crate::state::Memory;
use crate::world::{Table, TableError};

/// Between two tries to write a receipt: 0.5 s, doubling to 20 s, for as long as it takes.
const FIRST_RETRY: Duration = Duration::from_millis(500);
const LAST_RETRY: Duration = Duration::from_secs(20);

/// After a refusal (a missing right, a missing table) somebody has to act first.
const REFUSED_RETRY: Duration = Duration::from_mins(1);

/// Where `adf-agent status` finds the last receipt.
pub fn path(run_dir: &Path) -> PathBuf {
    run_dir.join("receipt.json")
}

/// What became of the last receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Written,
    /// It is still queued; the process may end without it.
    Late,
    /// There was none to write.
    Nothing,
}

pub(super) struct Writer {
    latest: watch::Sender<(u64, Option<Receipt>)>,
    done: watch::Receiver<u64>,
    delivered: watch::Receiver<Delivered>,
}

/// How the writing of receipts goes, for `adf-agent status`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Delivered {
    /// When one was last written where it belongs.
    pub last: Option<Timestamp>,
    /// Why the latest one is not written yet.
    pub problem: Option<String>,
}

/// A wait for everything that was sent so far.
pub(super) struct Written {
    number: u64,
    done: watch::Receiver<u64>,
}

impl Writer {
    pub(super) fn start(
        path: PathBuf,
        memory: Memory,
        table: Option<Arc<dyn Table>>,
        undelivered: Option<Receipt>,
    ) -> Self {
        let (latest, receiver) = watch::channel((0, None));
        let (written, done) = watch::channel(0);
        let (told, delivered) = watch::channel(Delivered::default());
        let progress = Progress { written, told };
        let reserve = Reserve::hold(path.parent().unwrap_or(Path::new(".")));
        let run = Run { latest: receiver, progress, path, reserve, memory, table, remembered: None };
        tokio::spawn(run.run(undelivered));
        Self { latest, done, delivered }
    }

    pub(super) fn send(&self, receipt: Receipt) {
        self.latest.send_modify(|(number, slot)| {
            *number += 1;
            *slot = Some(receipt);
        });
    }

    pub(super) fn delivered(&self) -> Delivered {
        self.delivered.borrow().clone()
    }

    pub(super) fn written(&self) -> Written {
        Written { number: self.latest.borrow().0, done: self.done.clone() }
    }
}

impl Written {
    pub(super) async fn within(mut self, limit: Duration) -> Delivery {
        let wait = self.done.wait_for(|done| *done >= self.number);
        match tokio::time::timeout(limit, wait).await {
            Ok(Ok(_)) => Delivery::Written,
            Ok(Err(_)) | Err(_) => Delivery::Late,
        }
    }
}

/// What the writer tells about itself.
struct Progress {
    written: watch::Sender<u64>,
    told: watch::Sender<Delivered>,
}

impl Progress {
    fn written(&self, number: u64) {
        self.told.send_replace(Delivered { last: Some(Timestamp::now()), problem: None });
        self.written.send_replace(number);
    }

    fn failed(&self, error: &dyn std::error::Error) {
        self.told.send_modify(|told| told.problem = Some(chain(error)));
    }
}

struct Run {
    latest: watch::Receiver<(u64, Option<Receipt>)>,
    progress: Progress,
    path: PathBuf,
    reserve: Reserve,
    memory: Memory,
    table: Option<Arc<dyn Table>>,
    /// What is on disk: the state of the last receipt, and whether it was delivered.
    remembered: Option<(InstanceState, bool)>,
}

impl Run {
    async fn run(mut self, undelivered: Option<Receipt>) {
        if let Some(receipt) = undelivered {
            self.catch_up(&receipt).await;
        }
        while self.latest.changed().await.is_ok() {
            self.write_latest().await;
        }
    }

    /// Once: a table that still does not answer will get the newer receipts, which say more.
    async fn catch_up(&self, receipt: &Receipt) {
        let Some(table) = &self.table else { return };
        match table.put_receipt(receipt).await {
            Ok(()) => {
                tracing::info!(written_at = %receipt.updated_at, "the last receipt before this start was delivered");
            }
            Err(error) => tracing::warn!("the last receipt before this start was not delivered: {error}"),
        }
    }

    async fn write_latest(&mut self) {
        let mut retry = FIRST_RETRY;
        loop {
            // Taken anew at every try: a newer receipt overtakes the one that failed.
            let (number, receipt) = self.latest.borrow_and_update().clone();
            let Some(receipt) = receipt else { return };
            if let Err(error) = self.reserve.write(|| save(&self.path, &receipt)) {
                tracing::warn!("cannot write {}: {error}", self.path.display());
            }
            match self.deliver(&receipt).await {
                Ok(()) => {
                    self.remember(&receipt, true);
                    self.progress.written(number);
                    return;
                }
                Err(error) => {
                    self.progress.failed(&error);
                    self.remember(&receipt, false);
                    let refused = error.kind() == Kind::Permanent;
                    let delay = if refused { REFUSED_RETRY } else { retry };
                    tracing::warn!(?delay, "the receipt was not written, the app is not affected: {error}");
                    if let Ok(Err(_)) = tokio::time::timeout(delay, self.latest.changed()).await {
                        // Nobody reports any more: the agent ends.
                        return;
                    }
                    retry = (retry * 2).min(LAST_RETRY);
                }
            }
        }
    }

    async fn deliver(&self, receipt: &Receipt) -> Result<(), TableError> {
        match &self.table {
            Some(table) => table.put_receipt(receipt).await,
            None => Ok(()),
        }
    }

    /// Only what changed: counts alone are not worth a flush of the disk.
    fn remember(&mut self, receipt: &Receipt, delivered: bool) {
        let news = (receipt.state.clone(), delivered);
        if self.remembered.as_ref() == Some(&news) {
            return;
        }
        match self.memory.remember(receipt, delivered) {
            Ok(()) => self.remembered = Some(news),
            Err(error) => tracing::warn!("the state is not remembered, the app is not affected: {error}"),
        }
    }
}

/// Whole or not at all: written beside, flushed, renamed.
fn save(path: &Path, receipt: &Receipt) -> std::io::Result<()> {
    let mut text = serde_json::to_vec_pretty(receipt)?;
    text.push(b'\n');
    private::replace(path, &text)
}
