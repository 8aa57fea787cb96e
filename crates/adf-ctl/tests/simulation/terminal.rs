//! What a terminal showed at the end of a command, held against what is so.

use adf_ctl::deploy::Ended;
use adf_local::model::LifecycleState;
use adf_types::{DeployRecord, Outcome};

use crate::account::app;
use crate::operators::{Operators, Said, chain};

/// How the limits of a deploy's waits are called, as operators know them.
const LIMITS: [&str; 7] = [
    "deploy.bake and",
    "deploy.boot_timeout",
    "deploy.watch",
    "adf-ctl pause --for",
    "the target group's deregistration delay",
    "2 minutes for the group",
    "a minute for EC2",
];

/// Where an agent names the limit on health checks.
const GRACE: &str = "grace in adf.toml";

impl Operators {
    /// What a terminal showed at the end, held against what is so.
    pub(crate) async fn heard(&self, who: &str, said: &Said) {
        let stage = &self.stage;
        match said {
            Said::Died => stage.trace.tell(who, "dies"),
            Said::Answered => stage.trace.tell(who, "is answered"),
            Said::Refused(reason) => {
                stage.tally(|tally| tally.played("commands refused", 1));
                stage.trace.tell(who, format!("is refused: {reason}"));
            }
            Said::Failed(error) => stage.trace.tell(who, format!("fails: {}", chain(error))),
            Said::Done(ended) => match ended.as_ref() {
                Ended::Serving { release, instances } => {
                    stage.trace.tell(who, format!("hears that {release} serves on {instances}"));
                }
                Ended::Closed { record, .. } => {
                    stage.trace.tell(who, format!("hears: {:?}", record.outcome));
                    self.closed(record).await;
                }
            },
        }
    }

    async fn closed(&self, record: &DeployRecord) {
        let stage = &self.stage;
        let outcome = match &record.outcome {
            Some(Outcome::Succeeded) => "deploys succeeded",
            Some(Outcome::RolledBack { .. }) => "deploys rolled back",
            Some(Outcome::Failed { .. }) => "deploys failed",
            None => "deploys without an outcome",
        };
        stage.tally(|tally| tally.played(outcome, 1));
        stage.check("a deploy that ends is closed", record.outcome.is_some(), || format!("{record:#?}"));
        if record.outcome == Some(Outcome::Succeeded) {
            self.proven(record).await;
        }
        self.waited(record);
        let turns = record.log.iter().filter(|entry| {
            entry.intent.starts_with(adf_ctl::deploy::plan::TURN_BACK) && entry.result.is_some()
        });
        let turns = turns.count();
        stage.check("at most one automatic rollback", turns <= 1, || format!("turned back {turns} times"));
    }

    /// Rule 11: each wait says what it waits for and is over, and a limit that was hit says its name.
    fn waited(&self, record: &DeployRecord) {
        for wait in record.log.iter().filter(|entry| entry.waiting.is_some()) {
            let named = wait.intent.strip_prefix("wait for ").is_some_and(|what| !what.trim().is_empty());
            self.stage.check("a wait is named, and over", named && wait.finished_at.is_some(), || {
                format!("{wait:?}")
            });
        }
        let Some(Outcome::Failed { reason, .. } | Outcome::RolledBack { reason }) = &record.outcome else {
            return;
        };
        for limit in reason.split(" within ").skip(1) {
            let known = LIMITS.iter().any(|name| limit.starts_with(name)) || limit.contains(GRACE);
            self.stage.check("a limit that is hit says its name", known, || reason.clone());
        }
    }

    /// Rule 4: "deployed" is true of every instance in service.
    async fn proven(&self, record: &DeployRecord) {
        let stage = &self.stage;
        let Ok(receipts) = stage.store().receipts(&app()).await else { return };
        for member in stage.group().members.into_iter().filter(|m| m.state == LifecycleState::InService) {
            let receipt = receipts.iter().find(|receipt| receipt.instance.as_str() == member.id);
            let matches = receipt.is_some_and(|receipt| receipt.release == record.to);
            stage.check("deployed means that receipts match", matches, || {
                format!("{} serves beside {}: {receipt:?}", member.id, record.to)
            });
        }
    }
}
