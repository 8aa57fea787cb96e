//! What a release sees: Base, then its Overlay, in one consistent piece.

use std::collections::{BTreeMap, BTreeSet};

use adf_types::{AppName, Config, ConfigName, ReleaseName};

use super::entry::{Entry, entry};
use super::version::ConfigVersion;
use crate::Store;
use crate::error::StoreError;
use crate::keys::{Item, layer};
use crate::query::{Range, string};

/// How often a read is repeated because a change came in between, before it is given up. A read takes some
/// milliseconds; five changes in a row that hit one are a program that writes in a loop.
const READS: usize = 5;

/// One name as a release sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub name: ConfigName,
    pub entry: Entry,
    /// Whether the release's Overlay says so, or Base.
    pub overlay: bool,
}

/// Both layers at one moment.
struct Snapshot {
    seen: Vec<Seen>,
    /// When the release's Overlay was cleaned up, if it was.
    cleaned: Option<String>,
    /// What clean-up took out of the Overlay, and may come back.
    taken: Vec<Seen>,
    /// Names of it whose values are gone.
    purged: Vec<String>,
}

impl Store {
    /// What `release` sees, complete and decrypted, or an error.
    pub async fn read_config(&self, app: &AppName, release: &ReleaseName) -> Result<Config, StoreError> {
        let snapshot = self.snapshot(app, release, None).await?;
        self.unseal(app, Some(release), snapshot.seen).await
    }

    /// Base config, complete and decrypted, or an error.
    pub async fn read_base(&self, app: &AppName) -> Result<Config, StoreError> {
        let base = self.read_layer(app, None).await?.into_iter();
        let seen = base.map(|(name, entry)| Seen { name, entry, overlay: false });
        self.unseal(app, None, seen.filter(|seen| seen.entry != Entry::Unset).collect()).await
    }

    /// The same for an instance that is about to run `release`: a release whose Overlay was cleaned up, and
    /// one that nobody knows, are errors, because the app would start with part of its config or with none.
    ///
    /// `known` is a version that was read before, with [`Store::release_and_version`]; it saves a call.
    pub async fn boot_config(
        &self,
        app: &AppName,
        release: &ReleaseName,
        known: Option<ConfigVersion>,
    ) -> Result<Config, StoreError> {
        let snapshot = self.snapshot(app, release, known).await?;
        if let Some(at) = snapshot.cleaned {
            return Err(StoreError::CleanedUp { app: app.clone(), release: release.clone(), at });
        }
        if snapshot.seen.is_empty() && self.release(app, release).await?.is_none() {
            return Err(StoreError::NoConfig {
                app: app.clone(),
                release: release.clone(),
                table: self.tables.config.clone(),
            });
        }
        self.unseal(app, Some(release), snapshot.seen).await
    }

    /// What `release` would see if it were deployed again: with what a clean-up took out of the live set, decrypted. An
    /// Overlay that lost its values is [`StoreError::Purged`]. Changes nothing.
    pub async fn restorable_config(
        &self,
        app: &AppName,
        release: &ReleaseName,
    ) -> Result<Config, StoreError> {
        let snapshot = self.snapshot(app, release, None).await?;
        if !snapshot.purged.is_empty() {
            return Err(StoreError::Purged { release: release.clone(), names: snapshot.purged });
        }
        let hidden: BTreeSet<_> = snapshot.taken.iter().map(|seen| seen.name.clone()).collect();
        let stays = snapshot.seen.into_iter().filter(|seen| !hidden.contains(&seen.name));
        let back = snapshot.taken.into_iter().filter(|seen| seen.entry != Entry::Unset);
        self.unseal(app, Some(release), stays.chain(back).collect()).await
    }

    /// What `release` sees, sorted by name, with its secrets still sealed: this needs no right to decrypt.
    pub async fn read_seen(&self, app: &AppName, release: &ReleaseName) -> Result<Vec<Seen>, StoreError> {
        Ok(self.snapshot(app, release, None).await?.seen)
    }

    /// One layer as it is, sorted by name: Base for `None`, else the release's Overlay.
    pub async fn read_layer(
        &self,
        app: &AppName,
        release: Option<&ReleaseName>,
    ) -> Result<Vec<(ConfigName, Entry)>, StoreError> {
        let layer = layer(app, release);
        let items = self.query_config(&layer, Range::All).await?;
        live(&layer, &items)
    }

    /// Reads until the version before and after is the same.
    async fn snapshot(
        &self,
        app: &AppName,
        release: &ReleaseName,
        known: Option<ConfigVersion>,
    ) -> Result<Snapshot, StoreError> {
        let mut before = match known {
            Some(version) => version,
            None => self.config_version(app).await?,
        };
        for _ in 0..READS {
            // Boxed: two queries side by side are large, and this is awaited deep inside a deploy.
            let snapshot = Box::pin(self.layers(app, release)).await?;
            let after = self.config_version(app).await?;
            if after == before {
                return Ok(snapshot);
            }
            before = after;
        }
        Err(StoreError::Changing { app: app.clone(), reads: READS })
    }

    async fn layers(&self, app: &AppName, release: &ReleaseName) -> Result<Snapshot, StoreError> {
        let (base, overlay) = (layer(app, None), layer(app, Some(release)));
        let (base_items, overlay_items) = futures_util::try_join!(
            self.query_config(&base, Range::All),
            self.query_config(&overlay, Range::All)
        )?;
        let cleaned = overlay_items.iter().find_map(|item| string(item, "Cleaned"));
        let (taken, purged) = out_of_the_live_set(&overlay, &overlay_items)?;
        let mut seen = BTreeMap::new();
        for (name, entry) in live(&base, &base_items)? {
            seen.insert(name.clone(), Seen { name, entry, overlay: false });
        }
        for (name, entry) in live(&overlay, &overlay_items)? {
            seen.insert(name.clone(), Seen { name, entry, overlay: true });
        }
        let seen = seen.into_values().filter(|seen| seen.entry != Entry::Unset).collect();
        Ok(Snapshot { seen, cleaned, taken, purged })
    }
}

/// What clean-up took out of an Overlay: what may come back, and the names of what cannot.
fn out_of_the_live_set(overlay: &str, items: &[Item]) -> Result<(Vec<Seen>, Vec<String>), StoreError> {
    let marked = items.iter().filter(|item| item.contains_key("Cleaned"));
    let (purged, whole): (Vec<&Item>, Vec<&Item>) = marked.partition(|item| item.contains_key("Purged"));
    let purged = purged.into_iter().filter_map(|item| string(item, "Name")).collect();
    let seen = |item: &Item| entry(overlay, item).map(|(name, entry)| Seen { name, entry, overlay: true });
    Ok((whole.into_iter().map(seen).collect::<Result<_, _>>()?, purged))
}

/// The entries of a layer. In a table whose range key is `Value` a name may come several times, and nobody knows which
/// value is meant.
fn live(layer: &str, items: &[Item]) -> Result<Vec<(ConfigName, Entry)>, StoreError> {
    let live = items.iter().filter(|item| !item.contains_key("Cleaned"));
    let entries: Vec<_> = live.map(|item| entry(layer, item)).collect::<Result<_, _>>()?;
    let mut seen = BTreeSet::new();
    if let Some((twice, _)) = entries.iter().find(|(name, _)| !seen.insert(name)) {
        return Err(StoreError::Config {
            key: format!("{layer}/{twice}"),
            problem: "the table has several values for it, because its range key is Value; adf-config migrate copies \
                      such a table and shows them"
                .to_owned(),
        });
    }
    Ok(entries)
}
