//! Clean-up of Overlays: what may go and why, taking it out of the live set, and the way back.
//!
//! Two phases. A release that nothing uses loses its Overlay to a mark: no read returns it, [`Store::restore_overlay`]
//! brings it back. What has been marked for longer than [`RESTORABLE`] loses its value, see `purge.rs`; the mark stays, so
//! that an instance of that release is refused and does not start with a part of its config. The proof comes from
//! [`Usage`], and holds when it is acted on.

use std::collections::BTreeSet;

use adf_types::{AppName, ConfigName, DeployId, ReleaseName};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::change::{Before, Change, content};
use super::entry::name;
use super::history::{self, Action};
use crate::error::StoreError;
use crate::keys::{Item, layer, number, text};
use crate::query::{Range, string};
use crate::usage::{Ignored, Usage, Use};
use crate::{Cleaned, LockView, Store};

/// How long cleaned-up config can be restored. A month covers a release that is found bad late.
const RESTORABLE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The attributes that clean-up adds to an item.
const MARKS: [&str; 2] = ["Cleaned", "RestorableUntil"];

/// What clean-up would do with the Overlays of an app, and why.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    pub app: AppName,
    pub overlays: Vec<OverlayPlan>,
    #[serde(skip)]
    usage: Usage,
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
    /// Whether a rollback would go to the release: then what was taken out keeps its value, however long ago that was.
    pub previous: bool,
}

/// What a sweep did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Swept {
    /// Taken out of the live set.
    pub cleaned: Vec<(ReleaseName, Vec<ConfigName>)>,
    /// Without its value from now on, after its time to be restored.
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
            let names = self.names(app, Some(&release)).await?;
            let plan = plan(
                release,
                names.live.union(&names.hidden).cloned().collect(),
                names.cleaned,
                &usage,
                ignored,
            );
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
        for overlay in plan.overlays.iter().filter(|overlay| overlay.uses.is_empty() && !overlay.previous) {
            let purged = self.purge_overlay(&plan.app, overlay, plan.now).await?;
            swept.purged.extend((!purged.is_empty()).then(|| (overlay.release.clone(), purged)));
        }
        Ok(swept)
    }

    async fn mark_cleaned(&self, plan: &Plan, overlay: &OverlayPlan) -> Result<(), StoreError> {
        let (app, release) = (&plan.app, Some(&overlay.release));
        let until = u64::try_from((plan.now + RESTORABLE).as_second()).unwrap_or(u64::MAX);
        let marks = MARKS.into_iter().zip([text(plan.now.to_string()), number(until)]);
        let marks: Item = marks.map(|(attribute, value)| (attribute.to_owned(), value)).collect();
        let mark = |item: &Item| owned(item).into_iter().chain(marks.clone()).collect();
        let edit = |_: &ConfigName, was: Option<&Item>| was.map(mark);
        let read = self.items_of(app, &overlay.release, |item| !item.contains_key("Cleaned")).await?;
        let guard = plan.usage.fence().map(|fence| self.no_deploy_since(app, fence));
        let change = Change::new(app, release, Action::Clean, Vec::new(), &edit);
        self.change_in_parts(Change { guard, ..change }, &read).await
    }

    /// Brings back what clean-up took away, and returns the names. An Overlay that is whole is left alone; one that has
    /// lost its values is an error.
    pub async fn restore_overlay(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Vec<ConfigName>, StoreError> {
        let read = self.items_of(app, release, |item| item.contains_key("Cleaned")).await?;
        let is_purged = |item: &Option<Item>| item.as_ref().is_some_and(|item| item.contains_key("Purged"));
        let purged: Vec<_> =
            read.iter().filter(|(_, item)| is_purged(item)).map(|(n, _)| n.to_string()).collect();
        if !purged.is_empty() {
            return Err(StoreError::Purged { release: release.clone(), names: purged });
        }
        let unmark = |item: &Item| {
            let mut item = owned(item);
            item.retain(|attribute, _| !MARKS.contains(&attribute.as_str()));
            item
        };
        let edit = |_: &ConfigName, was: Option<&Item>| was.map(unmark);
        let change = Change::new(app, Some(release), Action::Restore, Vec::new(), &edit);
        self.change_in_parts(change, &read).await?;
        Ok(read.into_keys().collect())
    }

    /// Items of an Overlay, whole.
    async fn items_of(
        &self,
        app: &AppName,
        release: &ReleaseName,
        which: fn(&Item) -> bool,
    ) -> Result<Before, StoreError> {
        let layer = layer(app, Some(release));
        let items = self.query_config(&layer, Range::All).await?.into_iter().filter(which);
        items.map(|item| Ok((name(&layer, &item)?, Some(item)))).collect()
    }
}

fn plan(
    release: ReleaseName,
    live: Vec<ConfigName>,
    cleaned: Vec<Cleaned>,
    usage: &Usage,
    ignored: Ignored<'_>,
) -> OverlayPlan {
    let last = usage.last_deploy(&release);
    let previous = usage.current.as_ref().and_then(|current| current.previous.as_ref());
    OverlayPlan {
        live,
        cleaned,
        uses: usage.of(&release, ignored),
        last_deploy: last.map(|deploy| deploy.id.clone()),
        last_deploy_ended: last.and_then(|deploy| deploy.finished_at),
        previous: previous == Some(&release),
        release,
    }
}

fn owned(item: &Item) -> Item {
    let content = content(Some(item)).into_iter().flatten();
    content.map(|(attribute, value)| (attribute.to_owned(), value.clone())).collect()
}
