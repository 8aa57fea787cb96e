//! On what a change was decided: what its author had seen is what it is made on top of, or it is refused with who wrote
//! what was seen and who has written since.

use adf_types::{AppName, ConfigName, ReleaseName};

use super::change::{Before, content};
use super::history::{Action, Recorded};
use super::version::ConfigVersion;
use crate::Store;
use crate::error::{StoreError, Written};
use crate::keys::{Item, layer};
use crate::query::{string, unsigned};

/// What an author had seen of the names when the change was decided. What was written since is not written over.
pub(super) enum Basis<'a> {
    /// What they are when the change begins.
    Now,
    /// This content.
    Read(&'a Before),
    /// What they were at this version of the app's config.
    Version(ConfigVersion),
}

impl Store {
    /// Fails with the first name that was written after the version that the author had seen.
    pub(super) async fn not_since(
        &self,
        (app, release): (&AppName, Option<&ReleaseName>),
        seen: ConfigVersion,
        now: &Before,
    ) -> Result<(), StoreError> {
        // An item tells by which change it was written. What is gone does not, and neither do clients of 2013.
        let newer = |is: &Item| unsigned(is, "Version").map(|version| version > seen.0);
        let doubtful = now.iter().filter(|(_, is)| is.as_ref().and_then(newer).unwrap_or(true));
        let doubtful: Vec<_> = doubtful.collect();
        if doubtful.is_empty() {
            return Ok(());
        }
        let history = Box::pin(self.history(app, usize::MAX)).await?;
        let changes = |name: &ConfigName| {
            let has = |r: &&Recorded| r.action != Action::Reveal && r.before.contains_key(name);
            let of_layer = history.iter().filter(|r| r.release.as_ref() == release);
            of_layer.filter(has).collect::<Vec<_>>()
        };
        let written = |r: &&Recorded| Written::By { by: r.by.clone(), at: r.at.to_string() };
        for (name, is) in doubtful {
            let changes = changes(name);
            let since = changes.iter().find(|r| r.version > seen.0);
            let before = changes.iter().find(|r| r.version <= seen.0);
            // An item that was signed once and is not any more was written by a client of 2013, nobody knows when.
            let unsigned = is.as_ref().is_some_and(|is| newer(is).is_none()) && before.is_some();
            let signed_since = is.as_ref().and_then(newer) == Some(true);
            if since.is_none() && !unsigned && !signed_since {
                continue;
            }
            let gone = || since.map_or(Written::Absent, written);
            return Err(StoreError::Overwritten {
                key: format!("{}/{name}", layer(app, release)),
                read: before
                    .map_or_else(|| since.map_or(Written::Absent, |r| not_recorded(r, name)), written),
                written: if is.is_some() { written_by(is.as_ref()) } else { gone() },
            });
        }
        Ok(())
    }
}

/// Fails with the first name that somebody else has changed since it was first read.
pub(super) fn untouched(layer: &str, first: &Before, now: &Before) -> Result<(), StoreError> {
    for (name, was) in first {
        let is = now.get(name).and_then(Option::as_ref);
        if content(was.as_ref()) != content(is) {
            return Err(StoreError::Overwritten {
                key: format!("{layer}/{name}"),
                read: written_by(was.as_ref()),
                written: written_by(is),
            });
        }
    }
    Ok(())
}

/// Who wrote what a name was before its first recorded change: nobody, or somebody who leaves no name.
fn not_recorded(first: &Recorded, name: &ConfigName) -> Written {
    let was = first.before.get(name).and_then(Option::as_ref);
    if was.is_some() { Written::Unsigned } else { Written::Absent }
}

fn written_by(item: Option<&Item>) -> Written {
    let Some(item) = item else { return Written::Absent };
    match (string(item, "By"), string(item, "At")) {
        (Some(by), Some(at)) => Written::By { by, at },
        _ => Written::Unsigned,
    }
}
