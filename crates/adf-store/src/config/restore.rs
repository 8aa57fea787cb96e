//! A layer as it was, from the history.

use std::collections::BTreeMap;

use adf_types::{AppName, ConfigName, ReleaseName};
use jiff::Timestamp;

use super::change::{Change, MOST_IN_ONE_CHANGE};
use super::entry::Entry;
use super::history::{Action, Recorded, attributes};
use crate::Store;
use crate::error::StoreError;
use crate::keys::Item;

/// A state of the config that the history knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    Time(Timestamp),
    /// Right after the change of this id.
    After(String),
}

/// What names of a layer were, at another moment.
pub type Then = BTreeMap<ConfigName, Option<Entry>>;

impl Store {
    /// What Base, or the Overlay of `release`, was at a moment, as far as it differs from now.
    pub async fn config_at(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        moment: &Moment,
    ) -> Result<Then, StoreError> {
        let history = self.history(app, usize::MAX).await?;
        let mut then = state(app, history, release, moment)?;
        let now: BTreeMap<ConfigName, Entry> = self.read_layer(app, release).await?.into_iter().collect();
        then.retain(|name, entry| now.get(name) != entry.as_ref());
        Ok(then)
    }

    /// Makes names of Base, or of the Overlay of `release`, what they were. It is a change like any other, or several
    /// of them where there are more names than one change takes: it can be taken back the same way.
    pub async fn restore_config(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
        then: &Then,
    ) -> Result<(), StoreError> {
        let names: Vec<_> = then.keys().cloned().collect();
        let edit = |name: &ConfigName, _: Option<&Item>| then.get(name)?.as_ref().map(attributes);
        for names in names.chunks(MOST_IN_ONE_CHANGE) {
            let names = names.to_vec();
            let change = Change::new(app, release, Action::Restore, names, &edit);
            self.change(change).await?;
        }
        Ok(())
    }
}

/// What the names were that have changed since; `history` comes newest first, so that the oldest change has the last
/// word.
fn state(
    app: &AppName,
    history: Vec<Recorded>,
    release: Option<&ReleaseName>,
    moment: &Moment,
) -> Result<Then, StoreError> {
    if let Moment::After(id) = moment
        && !history.iter().any(|record| record.id == *id)
    {
        return Err(StoreError::UnknownChange { app: app.clone(), id: id.clone() });
    }
    let is_later = |record: &Recorded| match moment {
        Moment::Time(time) => record.at > *time,
        Moment::After(id) => record.id != *id,
    };
    let later = history.into_iter().take_while(is_later);
    let is_change = |record: &Recorded| record.action != Action::Reveal;
    let of_this_layer = later.filter(|record| is_change(record) && record.release.as_ref() == release);
    Ok(of_this_layer.flat_map(|record| record.before).collect())
}
