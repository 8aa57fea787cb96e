//! Images and how one is built, as plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use adf_types::Builder;
use zeroize::Zeroizing;

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
    /// Seconds since 1970.
    pub created: i64,
}

/// What is on a Docker and takes room: every image, and the ids of those that a container, running or not, is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stock {
    pub images: Vec<ListedImage>,
    pub used: BTreeSet<String>,
}

/// Build secrets by name. Wiped from memory when dropped.
pub type SecretValues = BTreeMap<String, Zeroizing<String>>;

/// A registry's user.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub username: String,
    pub password: Zeroizing<String>,
}

/// Logins by registry host; Docker Hub is `docker.io`.
pub type Logins = BTreeMap<String, Login>;

/// What is to be built, and how. `Debug` leaves secrets and logins out.
#[derive(Clone, PartialEq, Eq)]
pub struct BuildOrder {
    pub tag: String,
    pub labels: BTreeMap<String, String>,
    pub target: Option<String>,
    pub args: BTreeMap<String, String>,
    /// `linux/arm64`; nothing for the host's own.
    pub platform: Option<String>,
    /// Given to `RUN --mount=type=secret`, to nothing else.
    pub secrets: Arc<SecretValues>,
    /// For the registries of base images.
    pub logins: Arc<Logins>,
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

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("username", &self.username).finish_non_exhaustive()
    }
}
