//! The record of a release: an immutable, named version of an app's code.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{AppName, ConfigRules, Digest, ImageRef, InstanceId, ReleaseName, ReleaseUrl};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseRecord {
    pub app: AppName,
    pub release: ReleaseName,
    pub url: ReleaseUrl,
    /// `sha256:` over the archive's bytes; absent for a recorded URL that nobody has downloaded.
    pub digest: Option<Digest>,
    /// `tree:` over the archive's content.
    pub tree: Option<Digest>,
    /// The git commit, where the release was made from a repository.
    pub commit: Option<String>,
    /// What the release's adf.toml asks of its config.
    #[serde(default)]
    pub config: ConfigRules,
    pub created_at: Timestamp,
    pub created_by: String,
}

/// The image that an instance built of a release and pushed, for the others to pull. It is recorded beside the release,
/// because a release never changes; the first one that is recorded stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseImage {
    /// With its digest.
    pub image: ImageRef,
    pub pushed_by: InstanceId,
    pub pushed_at: Timestamp,
}
