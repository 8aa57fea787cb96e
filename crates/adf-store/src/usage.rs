//! Which releases an app uses, and by what that is known: the proof that clean-up needs, and what a change of config is
//! held against.
//!
//! The rule: whatever begins after this was read is found out by whoever acts on it. Every deploy raises the fence of
//! the app's lock before it does anything, so an act that is conditional on the fence is never too late.

use std::fmt;

use adf_types::{AppName, DeployId, DeployRecord, InstanceId, Receipt, ReleaseName, ReleaseRecord};
use aws_sdk_dynamodb::types::{ConditionCheck, TransactWriteItem};
use serde::Serialize;

use crate::error::StoreError;
use crate::keys::{StateKey, number, text};
use crate::lock::view;
use crate::query::{string, unsigned};
use crate::{CurrentRelease, LockView, Store};

/// How many deploys are looked at. A release that is older than all of them and in none was given up.
const DEPLOYS: usize = 100;

/// What the state table knows of an app's releases.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    pub current: Option<CurrentRelease>,
    pub receipts: Vec<Receipt>,
    /// The last ones, newest first.
    pub deploys: Vec<DeployRecord>,
    pub releases: Vec<ReleaseRecord>,
    lock: Option<LockView>,
    fence: Option<Fence>,
}

/// How far the app's deploys were. Whoever takes the lock raises the number, and then says for which deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    number: u64,
    deploy: Option<String>,
}

/// By what a release is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// The fleet runs it, and a scale-out starts it.
    Current,
    /// Receipts of these instances name it.
    Instances(Vec<InstanceId>),
    /// A deploy that has not ended goes to it, or comes from it.
    OpenDeploy(DeployId),
    /// It was made after the deploys that are known, or in no time that is known, and is in none of them.
    NotYetDeployed,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current => f.write_str("it is the current release"),
            Self::Instances(ids) => {
                let ids: Vec<&str> = ids.iter().map(InstanceId::as_str).collect();
                write!(f, "receipts name it: {}", ids.join(", "))
            }
            Self::OpenDeploy(id) => write!(f, "deploy {id} is open"),
            Self::NotYetDeployed => f.write_str("it was not deployed yet"),
        }
    }
}

/// What a deploy knows better than the tables: itself, and which instances it has told to go.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ignored<'a> {
    pub deploy: Option<&'a DeployId>,
    pub instances: &'a [InstanceId],
}

impl Usage {
    /// Everything that uses the release; nothing when nothing does.
    pub fn of(&self, release: &ReleaseName, ignored: Ignored<'_>) -> Vec<Use> {
        let mut uses = Vec::new();
        if self.current.as_ref().is_some_and(|c| c.current == *release) {
            uses.push(Use::Current);
        }
        let names_it = |r: &&Receipt| r.release == *release && !ignored.instances.contains(&r.instance);
        let instances: Vec<_> = self.receipts.iter().filter(names_it).map(|r| r.instance.clone()).collect();
        if !instances.is_empty() {
            uses.push(Use::Instances(instances));
        }
        let open = self.deploys.iter().filter(|d| d.is_open() && Some(&d.id) != ignored.deploy);
        uses.extend(open.filter(|d| is_in(d, release)).map(|d| Use::OpenDeploy(d.id.clone())));
        if uses.is_empty() && self.last_deploy(release).is_none() && !self.is_older_than_all_deploys(release)
        {
            uses.push(Use::NotYetDeployed);
        }
        uses
    }

    /// The last deploy that had to do with the release.
    pub fn last_deploy(&self, release: &ReleaseName) -> Option<&DeployRecord> {
        self.deploys.iter().find(|d| is_in(d, release))
    }

    /// Records of the releases that run, or that a rollback may bring back.
    pub fn live(&self) -> impl Iterator<Item = &ReleaseRecord> {
        self.releases.iter().filter(|record| {
            let release = &record.release;
            let current = self.current.as_ref();
            current.is_some_and(|c| c.current == *release || c.previous.as_ref() == Some(release))
                || self.receipts.iter().any(|r| r.release == *release)
                || self.deploys.iter().any(|d| d.is_open() && is_in(d, release))
        })
    }

    /// For a change that is only to be made if no deploy began since; nothing where there is no state table, because then
    /// nothing was ever deployed.
    pub fn fence(&self) -> Option<&Fence> {
        self.fence.as_ref()
    }

    /// An operator holds the lock and has not yet written what for.
    pub fn beginning(&self) -> Option<&LockView> {
        self.lock.as_ref().filter(|lock| lock.deploy.is_none())
    }

    fn is_older_than_all_deploys(&self, release: &ReleaseName) -> bool {
        let Some(record) = self.releases.iter().find(|r| r.release == *release) else { return false };
        self.deploys.len() == DEPLOYS && self.deploys.iter().all(|d| record.created_at < d.started_at)
    }
}

fn is_in(deploy: &DeployRecord, release: &ReleaseName) -> bool {
    deploy.to == *release || deploy.from.as_ref() == Some(release)
}

impl Store {
    /// What the app uses. The fence comes first: a deploy that begins while the rest is read raises it.
    pub async fn usage(&self, app: &AppName) -> Result<Usage, StoreError> {
        let lock = match self.get_item(&StateKey::lock(app)).await {
            Err(StoreError::TableMissing { .. }) => return Ok(Usage::default()),
            other => other?.unwrap_or_default(),
        };
        let (current, receipts, deploys, releases) = Box::pin(async {
            futures_util::try_join!(
                self.current(app),
                self.receipts(app),
                self.deploys(app, DEPLOYS),
                self.releases(app)
            )
        })
        .await?;
        let number = unsigned(&lock, "Fence").unwrap_or_default();
        let fence = Some(Fence { number, deploy: string(&lock, "Deploy") });
        Ok(Usage { current, receipts, deploys, releases, lock: view(&lock), fence })
    }

    /// The part of a transaction that fails when a deploy has begun since.
    pub(crate) fn no_deploy_since(&self, app: &AppName, fence: &Fence) -> TransactWriteItem {
        let Fence { number: seen, deploy } = fence;
        let check = ConditionCheck::builder()
            .table_name(&self.tables.state)
            .set_key(Some(StateKey::lock(app).item()));
        let (raised, check) = match seen {
            0 => ("attribute_not_exists(Fence)", check),
            seen => ("Fence = :fence", check.expression_attribute_values(":fence", number(*seen))),
        };
        let (said, check) = match deploy {
            None => ("attribute_not_exists(Deploy)", check),
            Some(deploy) => ("Deploy = :deploy", check.expression_attribute_values(":deploy", text(deploy))),
        };
        let check = check.condition_expression(format!("{raised} AND {said}"));
        let check = check.build().expect("table, key and condition are given");
        TransactWriteItem::builder().condition_check(check).build()
    }
}
