//! An instance in a warm pool (fault 45): made ready, and then held back until its group wants it.
//!
//! Between `claim` and `prepare`. In the pool the image is built, so that joining is fast; no container is started and
//! no config is kept, as both would be old by then. The pool's own launch hook is completed: for a pool, ready means
//! that the image is here. An instance that the pool stops goes through its boot again when it is started; one
//! that the pool keeps running waits here. Source: "Warm pools for Amazon EC2 Auto Scaling".

use std::time::Duration;

use adf_types::Stage;

use crate::agent::Agent;
use crate::claim::{Claimed, look_around};
use crate::failure::Failure;
use crate::identify::SCHEDULE;
use crate::notice::TARGET_STATE;
use crate::prepare::image_alone;
use crate::report::Nothing;
use crate::retry::retry;
use crate::world::{ActionResult, systemd};

/// How often an instance that waits in the pool asks whether it still does.
const POLL: Duration = Duration::from_secs(5);

/// What telling the pool's hook may delay the wait; it is told in the background then.
const HOOK_WAIT: Duration = Duration::from_secs(10);

/// Returns at once for an instance that is in no pool, else when it has left it.
pub async fn pool(agent: &Agent, claimed: Claimed) -> Result<Claimed, Failure> {
    let target = retry(&SCHEDULE, &agent.reporter, async || agent.metadata.text(TARGET_STATE).await);
    if !target.await.is_ok_and(|target| is_warm(target.as_deref())) {
        return Ok(claimed);
    }
    tracing::info!("this instance is in a warm pool: the image is made ready, nothing is started");
    let warm = async { image_alone(agent, &claimed).await.map(|_| Nothing) };
    agent.reporter.stage(Stage::Prepare, warm).await?;
    wait(agent).await;
    agent.reporter.restart_clock();
    agent.reporter.update(|receipt| receipt.notice = None);
    let again = async { look_around(agent, claimed.order).await };
    agent.reporter.stage(Stage::Claim, again).await
}

async fn wait(agent: &Agent) {
    let text = "I188 in the warm pool: the image is ready, waiting to join the group";
    tracing::info!("{text}");
    systemd::status(text);
    agent.reporter.notice(text);
    if let Some(hook) = agent.hook() {
        hook.complete(ActionResult::Continue, HOOK_WAIT).await;
    }
    loop {
        tokio::time::sleep(POLL).await;
        match agent.metadata.text(TARGET_STATE).await {
            Ok(target) if !is_warm(target.as_deref()) => break,
            Ok(_) => {}
            Err(error) => tracing::debug!("{error}"),
        }
    }
    tracing::info!("this instance leaves the warm pool");
    if let Some(hook) = agent.hook() {
        hook.expect_another();
    }
}

/// `Warmed:Stopped`, `Warmed:Running`, `Warmed:Hibernated`; without a group there is no target state.
fn is_warm(target: Option<&str>) -> bool {
    target.is_some_and(|target| target.starts_with("Warmed:"))
}
