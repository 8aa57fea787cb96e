//! Keeps containers and build steps away from instance metadata (attack A7): before anything is built or started, and
//! again and again while the app is served, because whoever flushes the packet filter says nothing to us.
//!
//! Neighbours: `world::guard` holds the rules, `upkeep` looks each minute. The rule: nothing of a release runs before
//! the guard stands.

use crate::agent::Agent;
use crate::failure::Failure;
use crate::world::GuardError;

/// Puts the guard up where it does not stand. `block_imds = false` leaves it to whoever made the AMI.
pub async fn stand(agent: &Agent) -> Result<(), Failure> {
    if agent.settings.block_imds && raise(agent).await? {
        tracing::info!("containers and build steps cannot reach instance metadata");
    }
    Ok(())
}

/// Looks again; a guard that fell is put up and spoken of, and an app that is served goes on being served.
pub async fn look(agent: &Agent) {
    if !agent.settings.block_imds {
        return;
    }
    match raise(agent).await {
        Ok(false) => {}
        Ok(true) => tracing::warn!(
            "W127 the rules that keep containers from instance metadata were gone; they stand again"
        ),
        Err(error) => tracing::error!("{error}"),
    }
}

/// Whether it had to be put up.
async fn raise(agent: &Agent) -> Result<bool, GuardError> {
    let guard = &agent.world.guard;
    if guard.holds().await? {
        return Ok(false);
    }
    guard.raise().await?;
    if guard.holds().await? {
        return Ok(true);
    }
    Err(GuardError("the rules were loaded and are not there".to_owned()))
}
