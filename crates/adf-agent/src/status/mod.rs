//! `adf-agent status`: what the agent is doing and since when.
//!
//! | file | what |
//! | --- | --- |
//! | `socket.rs` | the living agent answers on `<run_dir>/agent.sock`, one JSON document a connection |
//! | `text.rs` | the same value as an operator reads it |
//!
//! Without a living agent the last receipt in the run folder is shown, and that it is old. The rule: text and JSON are
//! the same value, [`Status`]; a config value is in neither.

mod socket;
mod text;

use std::path::Path;

use adf_types::{Receipt, Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use socket::{SocketError, ask, serve, socket_path};
pub use text::text;

use crate::report::{Delivered, Trouble, path};

/// What is known of the agent of this instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "lowercase")]
pub enum Status {
    /// Asked from the agent itself.
    Agent(Box<Living>),
    /// No agent answers: its last receipt.
    Receipt { receipt: Box<Receipt> },
}

/// What a living agent tells about itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Living {
    pub pid: u32,
    pub agent_version: String,
    /// What it is doing; nothing before the first stage.
    pub stage: Option<Stage>,
    /// Since when the stage, or while it supervises the receipt's state, is what it is.
    pub since: Timestamp,
    /// What failed last in this stage, and when it is tried again.
    pub trouble: Option<Trouble>,
    /// The app's container.
    pub container: Option<String>,
    /// When a container that ended is started again.
    pub next_restart: Option<Timestamp>,
    /// How the writing of receipts goes.
    pub delivery: Option<Delivered>,
    /// Nothing before the instance knows what it is to run.
    pub receipt: Option<Receipt>,
}

#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    #[error(
        "no agent answers at {socket} and there is no receipt at {receipt}; has adf-agent run since the last reboot? \
         See: journalctl -u adf-agent"
    )]
    None { socket: String, receipt: String },
    #[error("cannot read {path}")]
    Read { path: String, source: std::io::Error },
    #[error("{path} is not a receipt that this version understands")]
    Malformed { path: String, source: serde_json::Error },
    #[error("the agent does not answer")]
    Silent(#[source] SocketError),
}

/// Asks the living agent; without one, the run folder.
pub async fn status(run_dir: &Path) -> Result<Status, StatusError> {
    match ask(run_dir).await {
        Ok(living) => Ok(Status::Agent(Box::new(living))),
        Err(SocketError::NoAgent { .. }) => last_receipt(run_dir).map(|receipt| Status::Receipt { receipt }),
        Err(error) => Err(StatusError::Silent(error)),
    }
}

fn last_receipt(run_dir: &Path) -> Result<Box<Receipt>, StatusError> {
    let file = path(run_dir);
    let path = file.display().to_string();
    let text = std::fs::read(&file).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => {
            StatusError::None { socket: socket_path(run_dir).display().to_string(), receipt: path.clone() }
        }
        _ => StatusError::Read { path: path.clone(), source },
    })?;
    serde_json::from_slice(&text).map_err(|source| StatusError::Malformed { path, source })
}
