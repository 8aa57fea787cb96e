//! Tags of groups. They reach instances at launch only.

use super::GroupTag;
use crate::model::{ApiError, Model};

impl Model {
    /// Sets one tag.
    pub fn tag_group(&mut self, group: &str, key: &str, tag: GroupTag) -> Result<(), ApiError> {
        if key.starts_with("aws:") {
            return Err(ApiError::validation(format!(
                "Tag keys starting with 'aws:' are reserved for internal use: {key}"
            )));
        }
        self.group_mut(group)?.tags.insert(key.to_owned(), tag);
        Ok(())
    }

    /// Removes one tag; an absent one is fine.
    pub fn untag_group(&mut self, group: &str, key: &str) -> Result<(), ApiError> {
        self.group_mut(group)?.tags.remove(key);
        Ok(())
    }
}
