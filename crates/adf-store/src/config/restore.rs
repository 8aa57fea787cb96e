//! A layer as it was, from the history.

use std::collections::BTreeMap;

use adf_types::{AppName, ConfigName, ReleaseName};
use jiff::Timestamp;

use super::change::{Before, Change};
use super::entry::{Entry, entry, name};
use super::history::{Action, Recorded, attributes};
use crate::error::StoreError;
use crate::keys::{Item, layer};
use crate::query::Range;
use crate::{Fence, Store};

/// A state of the config that the history knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    Time(Timestamp),
    /// Right after the change of this id.
    After(String),
}

/// What names of a layer were, at another moment, as far as it differs from now.
#[derive(Debug, Clone)]
pub struct Then {
    pub names: BTreeMap<ConfigName, Option<Entry>>,
    /// What they are now: what is written in between is not written over.
    now: Before,
}

impl Store {
    /// What Base, or the Overlay of `release`, was at a moment, as far as it differs from now.
    pub async fn config_at(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        moment: &Moment,
    ) -> Result<Then, StoreError> {
        let history = self.history(app, usize::MAX).await?;
        let mut names = state(app, history, release, moment)?;
        let layer = layer(app, release);
        let items = self.query_config(&layer, Range::All).await?;
        let with_name = |item: Item| Ok((name(&layer, &item)?, item));
        let mut items = items.into_iter().map(with_name).collect::<Result<BTreeMap<_, _>, StoreError>>()?;
        let is_live = |item: &&Item| !item.contains_key("Cleaned");
        let live = |name: &ConfigName| items.get(name).filter(is_live).map(|item| entry(&layer, item));
        names.retain(|name, was| match live(name) {
            Some(Ok((_, is))) => was.as_ref() != Some(&is),
            // What cannot be read is not what it was.
            Some(Err(_)) => true,
            None => was.is_some(),
        });
        let now = names.keys().map(|name| (name.clone(), items.remove(name))).collect();
        Ok(Then { names, now })
    }

    /// Makes names of Base, or of the Overlay of `release`, what they were, unless a deploy began after `fence`. It is a
    /// change like any other, or several of them where there is more than one change takes: it can be taken back the
    /// same way.
    pub async fn restore_config(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        then: &Then,
        fence: Option<&Fence>,
    ) -> Result<(), StoreError> {
        let edit = |name: &ConfigName, _: Option<&Item>| then.names.get(name)?.as_ref().map(attributes);
        let change = Change::new(app, release, Action::Restore, Vec::new(), &edit);
        let guard = fence.map(|fence| self.no_deploy_since(app, fence));
        self.change_in_parts(Change { guard, ..change }, &then.now).await
    }
}

/// What the names were that have changed since: of several changes the oldest has the last word.
fn state(
    app: &AppName,
    history: Vec<Recorded>,
    release: Option<&ReleaseName>,
    moment: &Moment,
) -> Result<BTreeMap<ConfigName, Option<Entry>>, StoreError> {
    let version = match moment {
        Moment::After(id) => {
            let record = history.iter().find(|record| record.id == *id);
            record.ok_or_else(|| StoreError::UnknownChange { app: app.clone(), id: id.clone() })?.version
        }
        // The authors' clocks differ; the versions are in the order in which the changes were made.
        Moment::Time(time) => {
            history.iter().filter(|record| record.at <= *time).map(|record| record.version).max().unwrap_or(0)
        }
    };
    let of_this_layer = |record: &Recorded| {
        record.version > version && record.action != Action::Reveal && record.release.as_ref() == release
    };
    let mut later: Vec<_> = history.into_iter().filter(of_this_layer).collect();
    later.sort_by_key(|record| std::cmp::Reverse(record.version));
    Ok(later.into_iter().flat_map(|record| record.before).collect())
}
