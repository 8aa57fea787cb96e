//! Clean-up of Overlays: what may go and why, taking it out of the live set, the way back, and the end.
//!
//! Two phases. A release that nothing uses loses its Overlay to a mark: no read returns it, [`Store::restore_overlay`]
//! brings it back. What has been marked for longer than [`RESTORABLE`] is deleted, by DynamoDB's time-to-live or by the
//! next sweep. The proof comes from [`Usage`], and holds when it is acted on.

use std::collections::BTreeSet;

use adf_types::{AppName, ConfigName, DeployId, ReleaseName};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::change::{Change, MOST_IN_ONE_CHANGE, content};
use super::entry::name;
use super::history::{self, Action};
use crate::error::StoreError;
use crate::keys::{Item, layer, number, text};
use crate::query::{Range, string, unsigned};
use crate::usage::{Ignored, Usage, Use};
use crate::{LockView, Store};

/// How long cleaned-up config can be restored. A month covers a release that is found bad late.
const RESTORABLE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What clean-up would do with the Overlays of an app, and why.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    pub app: AppName,
    pub overlays: Vec<OverlayPlan>,
    #[serde(skip)]
    usage: Usage,
    /// What is past its time at this moment is deleted.
    #[serde(skip)]
    now: Timestamp,
}

/// What clean-up would do with one Overlay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverlayPlan {
    pub release: ReleaseName,
    /// Names in the live set.
    pub live: Vec<ConfigName>,
    /// What uses the release. Nothing: the live names are taken out of the live set.
    pub uses: Vec<Use>,
    /// The last deploy that went to the release or came from it, and when it ended.
    pub last_deploy: Option<DeployId>,
    pub last_deploy_ended: Option<Timestamp>,
    /// Names that were taken out before.
    pub cleaned: Vec<Cleaned>,
}

/// A name that was taken out of the live set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cleaned {
    pub name: ConfigName,
    /// Until then it can be restored; afterwards it is deleted.
    pub purge_after: Timestamp,
}

/// What a sweep did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Swept {
    /// Taken out of the live set.
    pub cleaned: Vec<(ReleaseName, Vec<ConfigName>)>,
    /// Deleted, after its time to be restored.
    pub purged: Vec<(ReleaseName, Vec<ConfigName>)>,
    /// Records of the history that were deleted, for their age or their number.
    pub history: usize,
}

impl OverlayPlan {
    /// Whether the live names go.
    pub fn goes(&self) -> bool {
        !self.live.is_empty() && self.uses.is_empty()
    }
}

impl Plan {
    /// The time that the plan was made.
    pub(super) fn time(&self) -> Timestamp {
        self.now
    }

    /// The operator who holds the lock and has not said what for: nothing is cleaned up meanwhile.
    pub fn beginning(&self) -> Option<&LockView> {
        self.usage.beginning()
    }
}

impl Store {
    /// What clean-up would do with every Overlay of the app, or with that of `only`.
    pub async fn plan_clean_up(
        &self,
        app: &AppName,
        only: Option<&ReleaseName>,
        ignored: Ignored<'_>,
    ) -> Result<Plan, StoreError> {
        let usage = self.usage(app).await?;
        let releases = match only {
            Some(release) => BTreeSet::from([release.clone()]),
            None => self.overlays(app, &usage).await?,
        };
        let mut overlays = Vec::new();
        for release in releases {
            let plan = self.plan_overlay(app, release, &usage, ignored).await?;
            overlays.extend((!plan.live.is_empty() || !plan.cleaned.is_empty()).then_some(plan));
        }
        Ok(Plan { app: app.clone(), overlays, usage, now: Timestamp::now() })
    }

    /// Releases that may have an Overlay: those on record, and those that the history tells of.
    pub(super) async fn overlays(
        &self,
        app: &AppName,
        usage: &Usage,
    ) -> Result<BTreeSet<ReleaseName>, StoreError> {
        let history = self.query_config_for(&history::partition(app), Range::All, &["Layer"]).await?;
        let layers = history.iter().filter_map(|item| string(item, "Layer"));
        let told = layers.filter_map(|layer| layer.split_once('@')?.1.parse().ok());
        Ok(usage.releases.iter().map(|record| record.release.clone()).chain(told).collect())
    }

    async fn plan_overlay(
        &self,
        app: &AppName,
        release: ReleaseName,
        usage: &Usage,
        ignored: Ignored<'_>,
    ) -> Result<OverlayPlan, StoreError> {
        let layer = layer(app, Some(&release));
        let attributes = ["App", "Name", "Cleaned", "PurgeAfter"];
        let items = self.query_config_for(&layer, Range::All, &attributes).await?;
        let (mut live, mut cleaned) = (Vec::new(), Vec::new());
        for item in &items {
            let name = name(&layer, item)?;
            if item.contains_key("Cleaned") {
                cleaned.push(Cleaned { name, purge_after: purge_after(item) });
            } else {
                live.push(name);
            }
        }
        let last = usage.last_deploy(&release);
        Ok(OverlayPlan {
            live,
            cleaned,
            uses: usage.of(&release, ignored),
            last_deploy: last.map(|deploy| deploy.id.clone()),
            last_deploy_ended: last.and_then(|deploy| deploy.finished_at),
            release,
        })
    }

    /// Does what the plan says, unless a deploy has begun since: then nothing of it is done.
    pub async fn clean_up(&self, plan: &Plan) -> Result<Swept, StoreError> {
        if let Some(held) = plan.beginning() {
            return Err(StoreError::LockHeld { app: plan.app.clone(), held: held.clone() });
        }
        let mut swept = Swept::default();
        for overlay in plan.overlays.iter().filter(|overlay| overlay.goes()) {
            self.mark_cleaned(plan, overlay).await?;
            swept.cleaned.push((overlay.release.clone(), overlay.live.clone()));
        }
        for overlay in &plan.overlays {
            let purged = self.purge_overlay(plan, overlay).await?;
            swept.purged.extend((!purged.is_empty()).then(|| (overlay.release.clone(), purged)));
        }
        Ok(swept)
    }

    async fn mark_cleaned(&self, plan: &Plan, overlay: &OverlayPlan) -> Result<(), StoreError> {
        let purge = u64::try_from((plan.now + RESTORABLE).as_second()).unwrap_or(u64::MAX);
        let marks = [("Cleaned", text(plan.now.to_string())), ("PurgeAfter", number(purge))];
        let mark = |item: &Item| {
            let marks = marks.clone().map(|(attribute, value)| (attribute.to_owned(), value));
            owned(item).into_iter().chain(marks).collect()
        };
        let edit = |_: &ConfigName, was: Option<&Item>| was.map(mark);
        // One less than a change takes: the condition on the fence is a part of the transaction.
        for names in overlay.live.chunks(MOST_IN_ONE_CHANGE - 1) {
            let (app, release) = (&plan.app, Some(&overlay.release));
            let guard = self.no_deploy_since(app, &plan.usage);
            let change = Change::new(app, release, Action::Clean, names.to_vec(), &edit);
            self.change(Change { guard, ..change }).await?;
        }
        Ok(())
    }

    /// Brings back what clean-up took away, and returns the names. An Overlay that is whole is left alone.
    pub async fn restore_overlay(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Vec<ConfigName>, StoreError> {
        let layer = layer(app, Some(release));
        let items = self.query_config(&layer, Range::All).await?;
        let cleaned = items.iter().filter(|item| item.contains_key("Cleaned"));
        let names = cleaned.map(|item| name(&layer, item)).collect::<Result<Vec<_>, _>>()?;
        let unmark = |item: &Item| {
            let mut item = owned(item);
            item.retain(|attribute, _| attribute != "Cleaned" && attribute != "PurgeAfter");
            item
        };
        let edit = |_: &ConfigName, was: Option<&Item>| was.map(unmark);
        for names in names.chunks(MOST_IN_ONE_CHANGE) {
            let names = names.to_vec();
            self.change(Change::new(app, Some(release), Action::Restore, names, &edit)).await?;
        }
        Ok(names)
    }
}

fn owned(item: &Item) -> Item {
    let content = content(Some(item)).into_iter().flatten();
    content.map(|(attribute, value)| (attribute.to_owned(), value.clone())).collect()
}

/// A mark without a time is none of ours, and never runs out.
pub(super) fn purge_after(item: &Item) -> Timestamp {
    let seconds = unsigned(item, "PurgeAfter").and_then(|seconds| i64::try_from(seconds).ok());
    seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).unwrap_or(Timestamp::MAX)
}
