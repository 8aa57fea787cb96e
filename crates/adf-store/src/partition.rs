//! An app's partitions: what a policy can confine a role to.
//!
//! DynamoDB checks a request's partition key against a policy (`dynamodb:LeadingKeys`), never its sort key, so a
//! partition is the smallest thing that a role can be kept out of.
//!
//! To add one: a variant, its key, and who may do what with it in `adf-ctl`'s policies.

use adf_types::AppName;

use crate::Tables;

/// A partition of one of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Partition {
    /// Base config.
    Base,
    /// The Overlay config of every release: one partition each.
    Overlays,
    /// The number of the last change of config.
    Version,
    /// Who changed config, and what it was before.
    History,
    /// Releases, deploys, the current release and the lock.
    Records,
    /// Which image was built of a release.
    Images,
    /// What the instances say about themselves.
    Receipts,
}

impl Partition {
    /// Base and Overlays: `App` of an item, and of the encryption context of a secret in it.
    pub const LAYERS: [Self; 2] = [Self::Base, Self::Overlays];

    /// The hash key. In that of the Overlays `*` stands for any release.
    pub fn key(self, app: &AppName) -> String {
        let suffix = match self {
            Self::Base | Self::Records => "",
            Self::Overlays => "@*",
            Self::Version => "#version",
            Self::History => "#history",
            Self::Images => "#images",
            Self::Receipts => "#receipts",
        };
        format!("{app}{suffix}")
    }

    /// The table that it is in.
    pub fn table(self, tables: &Tables) -> &str {
        match self {
            Self::Base | Self::Overlays | Self::Version | Self::History => &tables.config,
            Self::Records | Self::Images | Self::Receipts => &tables.state,
        }
    }
}
