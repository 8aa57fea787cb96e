//! Images and how one is built, as plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

pub use adf_types::Builder;
use tokio::sync::{Notify, watch};
use zeroize::Zeroizing;

use crate::world::Keyring;

/// An image as Docker knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Image {
    /// `sha256:...`
    pub id: String,
    pub labels: BTreeMap<String, String>,
    /// The TCP ports of its EXPOSE lines, sorted.
    pub exposed: Vec<u16>,
    /// `repository@sha256:...`, one for each registry that it was pulled from or pushed to.
    pub repo_digests: Vec<String>,
}

/// An image in Docker's list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListedImage {
    /// `sha256:...`
    pub id: String,
    pub tags: Vec<String>,
    pub labels: BTreeMap<String, String>,
    /// When one of its tags was last set here. Known of ADF's own images only.
    pub tagged: Option<SystemTime>,
}

/// What is on a Docker and takes room: every image, and the ids of those that a container, running or not, is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stock {
    pub images: Vec<ListedImage>,
    pub used: BTreeSet<String>,
}

/// Build secrets by name. Wiped from memory when dropped.
pub type SecretValues = BTreeMap<String, Zeroizing<String>>;

/// Logins for the registries of base images, for which the config has to be read. Few builds ask.
#[derive(Debug, Clone)]
pub struct KeyringSoon {
    wanted: Arc<Notify>,
    told: watch::Receiver<Option<Keyring>>,
}

/// The other end: learns that somebody asks, and answers.
#[derive(Debug)]
pub struct KeyringGiver {
    wanted: Arc<Notify>,
    tell: watch::Sender<Option<Keyring>>,
}

impl KeyringSoon {
    pub fn new() -> (KeyringGiver, Self) {
        let (tell, told) = watch::channel(None);
        let wanted = Arc::new(Notify::new());
        (KeyringGiver { wanted: wanted.clone(), tell }, Self { wanted, told })
    }

    /// Asks, and waits; nothing when nobody is there to answer.
    pub(super) async fn ask(&self) -> Option<Keyring> {
        self.wanted.notify_one();
        self.told.clone().wait_for(Option::is_some).await.ok()?.clone()
    }
}

impl KeyringGiver {
    pub async fn wanted(&self) {
        self.wanted.notified().await;
    }

    pub fn give(&self, keyring: Keyring) {
        self.tell.send_replace(Some(keyring));
    }
}

/// What is to be built, and how. `Debug` leaves secrets out.
#[derive(Clone)]
pub struct BuildOrder {
    pub tag: String,
    pub labels: BTreeMap<String, String>,
    pub target: Option<String>,
    pub args: BTreeMap<String, String>,
    /// `linux/arm64`; nothing for the host's own.
    pub platform: Option<String>,
    /// Given to `RUN --mount=type=secret`, to nothing else.
    pub secrets: Arc<SecretValues>,
    /// Asked by `BuildKit` only, and only for a base image that is not everybody's.
    pub keyring: KeyringSoon,
    pub builder: Builder,
}

impl std::fmt::Debug for BuildOrder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BuildOrder")
            .field("tag", &self.tag)
            .field("builder", &self.builder)
            .finish_non_exhaustive()
    }
}
