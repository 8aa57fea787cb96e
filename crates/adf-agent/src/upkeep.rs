//! What is looked after while the app is served, besides the app: the guard, and how many old images there are.
//!
//! Neighbours: `supervise` runs this beside itself. The rule: nothing here touches the app, and what fails is said and
//! tried again a minute later.

use std::convert::Infallible;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::agent::Agent;
use crate::claim::Order;
use crate::guard;
use crate::prepare::room;

/// How long a guard that was taken down stays down at most.
const LOOK: Duration = Duration::from_mins(1);

pub async fn upkeep(agent: &Agent, order: &Order) -> Infallible {
    room::keep_bounds(agent, order).await;
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        guard::look(agent).await;
    }
}
