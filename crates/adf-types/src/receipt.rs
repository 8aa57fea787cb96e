//! What an instance proves about itself.
//!
//! The agent writes its receipt when each stage starts and whenever its state changes; `adf-ctl` reads
//! the receipts of an app in one query. A receipt never holds a config value.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{AppName, ConfigHash, DeployId, Digest, InstanceId, ReleaseName, Stage};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub instance: InstanceId,
    pub app: AppName,
    pub release: ReleaseName,
    /// The digest that was verified, absent when the release was launched without one.
    pub release_digest: Option<Digest>,
    pub deploy: Option<DeployId>,
    /// Docker's image id, `sha256:...`, once there is one.
    pub image_id: Option<String>,
    pub image_source: Option<ImageSource>,
    /// Why the image was built here although one was to be pulled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_fallback: Option<String>,
    /// What built the image, where it was built here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_builder: Option<Builder>,
    pub config_hash: Option<ConfigHash>,
    pub ami: Option<String>,
    pub agent_version: String,
    /// Another one after each boot of the machine; absent of agents before 0.1 and where it could not be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<Uuid>,
    pub state: InstanceState,
    /// One entry per finished stage, in order.
    pub timings: Vec<StageTiming>,
    /// Health probes since the instance became healthy.
    pub probes: ProbeCounts,
    /// How often the agent had to restart the container since it became healthy.
    pub restarts: u32,
    /// What an operator should know about an instance whatever its state: a notice of EC2, a reload that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// When the agent last wrote this receipt, by its own clock.
    pub updated_at: Timestamp,
}

impl Receipt {
    pub fn is_serving(&self) -> bool {
        matches!(self.state, InstanceState::Serving)
    }

    /// Seconds from the start of the agent to the end of the health stage, once it is reached.
    pub fn boot_seconds(&self) -> Option<f64> {
        let healthy = self.timings.iter().any(|t| t.stage == Stage::Health);
        healthy
            .then(|| self.timings.iter().filter(|t| t.stage <= Stage::Health).map(StageTiming::seconds).sum())
    }
}

/// Where an instance is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum InstanceState {
    /// On its way to healthy.
    Booting { stage: Stage },
    /// Healthy, and announced as such.
    Serving,
    /// Was healthy, is not now; the agent is restarting the container.
    Unhealthy { reason: String },
    /// Gave up. `log_tail` holds the container's or the build's last lines, redacted.
    Failed { stage: Stage, reason: String, log_tail: Vec<String> },
    /// Told to stop; requests in flight are being finished.
    Draining,
    /// The container is stopped.
    Stopped,
}

/// How the instance came by its image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageSource {
    /// Built here from the release's archive.
    Built,
    /// Pulled from a registry: the release is an image, or another instance had built and pushed it.
    Pulled,
    /// An image of the same release was already on this host's Docker.
    Present,
}

/// Docker's two builders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Builder {
    #[default]
    BuildKit,
    /// The builder before BuildKit, where BuildKit does not answer.
    Classic,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageTiming {
    pub stage: Stage,
    pub millis: u64,
}

impl StageTiming {
    pub fn seconds(&self) -> f64 {
        std::time::Duration::from_millis(self.millis).as_secs_f64()
    }
}

/// Exact counts, never averages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProbeCounts {
    pub passed: u64,
    pub failed: u64,
}
