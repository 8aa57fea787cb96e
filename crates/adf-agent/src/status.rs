//! `adf-agent status`: the instance's last receipt, from the run folder.

use std::path::Path;

use adf_types::{InstanceState, Receipt};

use crate::report::path;

#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    #[error("no receipt at {path}; has adf-agent run since the last reboot? See: journalctl -u adf-agent")]
    None { path: String },
    #[error("cannot read {path}")]
    Read { path: String, source: std::io::Error },
    #[error("{path} is not a receipt that this version understands")]
    Malformed { path: String, source: serde_json::Error },
}

pub fn last_receipt(run_dir: &Path) -> Result<Receipt, StatusError> {
    let file = path(run_dir);
    let path = file.display().to_string();
    let text = std::fs::read(&file).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => StatusError::None { path: path.clone() },
        _ => StatusError::Read { path: path.clone(), source },
    })?;
    serde_json::from_slice(&text).map_err(|source| StatusError::Malformed { path, source })
}

/// The receipt as an operator reads it.
pub fn text(receipt: &Receipt) -> String {
    let mut lines = vec![
        format!("instance  {}", receipt.instance),
        format!("app       {} {}", receipt.app, receipt.release),
        format!("state     {}", state(&receipt.state)),
    ];
    if let Some(image) = &receipt.image_id {
        lines.push(format!("image     {image}"));
    }
    if let Some(hash) = &receipt.config_hash {
        lines.push(format!("config    {}", hash.short()));
    }
    let times: Vec<String> =
        receipt.timings.iter().map(|t| format!("{} {:.1}s", t.stage, t.seconds())).collect();
    lines.push(format!("boot      {}", times.join(", ")));
    lines.push(format!("probes    {} passed, {} failed", receipt.probes.passed, receipt.probes.failed));
    lines.push(format!("restarts  {}", receipt.restarts));
    lines.push(format!("updated   {}", receipt.updated_at));
    lines.join("\n")
}

fn state(state: &InstanceState) -> String {
    match state {
        InstanceState::Booting { stage } => format!("booting ({stage})"),
        InstanceState::Serving => "serving".to_owned(),
        InstanceState::Unhealthy { reason } => format!("unhealthy: {reason}"),
        InstanceState::Failed { stage, reason, .. } => format!("failed in {stage}: {reason}"),
        InstanceState::Draining => "draining".to_owned(),
        InstanceState::Stopped => "stopped".to_owned(),
    }
}
