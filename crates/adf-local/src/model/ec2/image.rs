//! Images: the one that every ADF instance starts from.

use jiff::Timestamp;

/// A machine image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub id: String,
    pub name: String,
    pub description: String,
    pub created_at: Timestamp,
}

impl Image {
    /// The built-in image: what `packer/` builds, here the host's own Docker and the `adf-agent` binary.
    pub(in crate::model) fn adf(now: Timestamp) -> Self {
        Self {
            id: "ami-0adf0000000000001".to_owned(),
            name: "adf-base".to_owned(),
            description: "ADF base image: Docker and adf-agent".to_owned(),
            created_at: now,
        }
    }
}
