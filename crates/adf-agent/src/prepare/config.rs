//! The release's config: read whole, made known to the redactor, and checked against its adf.toml.

use std::time::Duration;

use adf_types::{Config, ConfigSection, RuleError};

use crate::agent::Agent;
use crate::claim::Order;
use crate::failure::Failure;
use crate::redact;
use crate::retry::{Schedule, retry};

/// A table or a KMS that does not answer is asked again until the boot's time is over: 1, 2, 4, 8, 16, then
/// every 20 s, each with jitter. Each of these tries is already one of ten calls within 46 s, see
/// `adf_store::RETRIES`.
pub const TABLE_SCHEDULE: Schedule = Schedule {
    what: "the config table",
    first: Duration::from_secs(1),
    factor: 2.0,
    max: Duration::from_secs(20),
    tries: u32::MAX,
    jitter: true,
};

/// The whole config of the release, or an error: never a part of it.
pub async fn read(agent: &Agent, order: &Order) -> Result<Config, Failure> {
    if !order.named {
        tracing::info!("no APP in user data or tags: the config is empty");
        return Ok(Config::default());
    }
    let table = &agent.aws(&order.region).await.table;
    let read = async || table.read_config(&order.app, &order.release).await;
    let config = retry(&TABLE_SCHEDULE, &agent.reporter, read).await?;
    // Before anything is done with it: from here on no value leaves the agent by mistake.
    redact::learn(&config);
    Ok(config)
}

/// What the release's adf.toml asks of its config.
pub fn check(config: &Config, section: &ConfigSection) -> Result<(), Failure> {
    config.check(&section.rules()).map_err(|error| {
        let cure = match error {
            RuleError::TakesOver(_) => "",
            RuleError::Missing(_) | RuleError::Values(_) => "; set it with: adf-ctl config set NAME=VALUE",
        };
        Failure::permanent(format!("{error}{cure}"))
    })?;
    config.fits(section.secrets).map_err(|e| Failure::permanent(e.to_string()))
}
