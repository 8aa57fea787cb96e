//! The boot of an instance: the table of contents.
//!
//! One line per stage; each takes what the one before it reached, so the order cannot be changed by mistake.
//! Between claim and prepare an instance of a warm pool is held back until its group wants it.
//! A reboot goes through the same line: image and container are found, only the config is read anew.

use adf_types::Stage;

use crate::agent::Agent;
use crate::claim::claim;
use crate::failure::Failure;
use crate::health::health;
use crate::identify::identify;
use crate::pool::pool;
use crate::prepare::prepare;
use crate::ready::{Serving, ready};
use crate::start::start;

pub async fn boot(agent: &Agent) -> Result<Serving, Failure> {
    let report = &agent.reporter;

    let identified = report.stage(Stage::Identify, identify(agent)).await?;
    let claimed = report.stage(Stage::Claim, claim(agent, identified)).await?;
    let claimed = pool(agent, claimed).await?;
    let prepared = report.stage(Stage::Prepare, prepare(agent, claimed)).await?;
    let started = report.stage(Stage::Start, start(agent, prepared)).await?;
    let healthy = report.stage(Stage::Health, health(agent, started)).await?;
    report.stage(Stage::Ready, ready(agent, healthy)).await
}
