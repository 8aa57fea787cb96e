//! Carries receipts to the run folder and to the state table, the latest one first.
//!
//! A receipt that a newer one overtook is never written: only the latest state matters.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use adf_types::Receipt;
use tokio::sync::watch;

use crate::failure::{Fault as _, Kind};
use crate::world::Table;

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
}

/// A wait for everything that was sent so far.
pub(super) struct Written {
    number: u64,
    done: watch::Receiver<u64>,
}

impl Writer {
    pub(super) fn start(path: PathBuf, table: Option<Arc<dyn Table>>) -> Self {
        let (latest, receiver) = watch::channel((0, None));
        let (written, done) = watch::channel(0);
        tokio::spawn(run(receiver, written, path, table));
        Self { latest, done }
    }

    pub(super) fn send(&self, receipt: Receipt) {
        self.latest.send_modify(|(number, slot)| {
            *number += 1;
            *slot = Some(receipt);
        });
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

async fn run(
    mut latest: watch::Receiver<(u64, Option<Receipt>)>,
    written: watch::Sender<u64>,
    path: PathBuf,
    table: Option<Arc<dyn Table>>,
) {
    while latest.changed().await.is_ok() {
        let mut retry = FIRST_RETRY;
        loop {
            // Taken anew at every try: a newer receipt overtakes the one that failed.
            let (number, receipt) = latest.borrow_and_update().clone();
            let Some(receipt) = receipt else { break };
            if let Err(error) = save(&path, &receipt) {
                tracing::warn!("cannot write {}: {error}", path.display());
            }
            let Some(table) = &table else {
                written.send_replace(number);
                break;
            };
            match table.put_receipt(&receipt).await {
                Ok(()) => {
                    written.send_replace(number);
                    break;
                }
                Err(error) => {
                    let refused = error.kind() == Kind::Permanent;
                    let delay = if refused { REFUSED_RETRY } else { retry };
                    tracing::warn!(?delay, "the receipt was not written, the app is not affected: {error}");
                    let _ = tokio::time::timeout(delay, latest.changed()).await;
                    retry = (retry * 2).min(LAST_RETRY);
                }
            }
        }
    }
}

/// Whole or not at all: written beside, flushed, renamed.
fn save(path: &Path, receipt: &Receipt) -> std::io::Result<()> {
    let beside = path.with_extension("json.new");
    let mut file = std::fs::File::create(&beside)?;
    serde_json::to_writer_pretty(&mut file, receipt)?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}
