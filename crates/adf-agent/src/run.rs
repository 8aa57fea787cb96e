//! `adf-agent run`: boot, then supervise; and what happens when either ends.

use std::time::Duration;

use adf_types::{InstanceState, Stage};

use crate::agent::Agent;
use crate::boot::boot;
use crate::exit::Exit;
use crate::failure::{Failure, Kind};
use crate::last_words::{CONSOLE, last_words};
use crate::notice::{Leaving, leaving};
use crate::report::Delivery;
use crate::supervise::{LAST_RECEIPT, stop_all, supervise};
use crate::world::{ActionResult, Transition, systemd};

/// What telling the group may take when the agent ends; the hook's own timeout ends it otherwise.
const ABANDON_WAIT: Duration = Duration::from_secs(30);

/// What a container may take to stop that never served.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Runs until `stop` resolves, the instance is to leave, or the boot fails.
pub async fn run(agent: &Agent, stop: impl Future<Output = ()>) -> Exit {
    let mut leaving = std::pin::pin!(leaving(agent, stop));
    let booted = tokio::select! {
        biased;
        why = &mut leaving => Err(why),
        result = boot(agent) => Ok(result),
    };
    match booted {
        Err(why) => interrupted(agent, &why).await,
        Ok(Err(failure)) => failed(agent, failure).await,
        Ok(Ok(serving)) => {
            tracing::info!(stage = Stage::Supervise.as_str(), "serving");
            supervise(agent, serving, leaving).await;
            Exit::Stopped
        }
    }
}

/// To leave before the app served: what was under way was dropped with the boot, and Docker cancels a build whose
/// request ends. The receipt comes first, then the group, which must not wait for this instance.
async fn interrupted(agent: &Agent, why: &Leaving) -> Exit {
    tracing::warn!("I183 {why}, during the boot");
    systemd::stopping(&format!("interrupted: {why}"));
    agent.reporter.update(|receipt| {
        receipt.state = InstanceState::Draining;
        receipt.notice = Some(format!("I183 interrupted during the boot: {why}"));
    });
    tokio::join!(
        agent.reporter.flush(LAST_RECEIPT),
        abandon(agent),
        let_go(agent, why),
        stop_all(agent, None, STOP_GRACE)
    );
    agent.reporter.publish(InstanceState::Stopped);
    agent.reporter.flush(LAST_RECEIPT).await;
    Exit::Stopped
}

/// The boot failed: say so everywhere, and as the last lines on the console.
async fn failed(agent: &Agent, failure: Failure) -> Exit {
    let what = failure.stage.map_or("", Stage::as_str);
    agent.reporter.note_trouble(what, failure.reason.clone(), None);
    let Some(hook) = agent.hook() else {
        last_words(&failure, CONSOLE);
        return exit(failure.kind);
    };
    let stage = failure.stage.unwrap_or(Stage::Claim);
    systemd::status(&format!("failed in {stage}: {}", failure.reason));
    let log_tail = failure.log_tail.clone();
    let ended = InstanceState::Failed { stage, reason: failure.reason.clone(), log_tail };
    if failure.kind == Kind::Transient && agent.has_run_before() {
        return retried(agent, ended, &failure).await;
    }
    if agent.has_run_before() && stage < Stage::Start {
        let notice = "W189 the agent is not started again by itself; a container that runs was left alone";
        agent.reporter.update(|receipt| receipt.notice = Some(notice.into()));
    } else {
        stop_all(agent, None, STOP_GRACE).await;
    }
    agent.reporter.publish(ended);
    let abandon = hook.complete(ActionResult::Abandon, ABANDON_WAIT);
    let (delivery, ()) = tokio::join!(agent.reporter.flush(LAST_RECEIPT), abandon);
    if delivery == Delivery::Late {
        tracing::warn!("the receipt could not be written");
    }
    last_words(&failure, CONSOLE);
    // The boot's time is over, or trying again cannot help: either way this instance is given up.
    Exit::Permanent
}

/// An instance that has run its app before is not given up because AWS or Docker did not answer for one start of the
/// agent: what runs goes on running, and systemd starts the agent again.
async fn retried(agent: &Agent, ended: InstanceState, failure: &Failure) -> Exit {
    agent.reporter.update(|receipt| {
        receipt.state = ended;
        receipt.notice =
            Some("W189 the agent will be started again; a container that runs was left alone".into());
    });
    agent.reporter.flush(LAST_RECEIPT).await;
    last_words(failure, CONSOLE);
    Exit::Transient
}

fn exit(kind: Kind) -> Exit {
    match kind {
        Kind::Permanent => Exit::Permanent,
        Kind::Transient => Exit::Transient,
    }
}

async fn abandon(agent: &Agent) {
    if let Some(hook) = agent.hook() {
        hook.complete(ActionResult::Abandon, ABANDON_WAIT).await;
    }
}

/// The group that terminates an instance waits at its terminating hook, also for one that never served.
async fn let_go(agent: &Agent, why: &Leaving) {
    if let (Leaving::Group { .. }, Some(hook)) = (why, agent.hook()) {
        hook.of(Transition::Terminating).complete(ActionResult::Continue, ABANDON_WAIT).await;
    }
}
