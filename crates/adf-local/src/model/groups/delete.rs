//! Removing a group.

use jiff::Timestamp;

use super::journal::cause;
use super::terminate::Hooks;
use crate::model::{ApiError, Model};

impl Model {
    /// Removes an empty group. With `force`, its members are terminated, without hooks, and it goes with the last of them.
    pub fn delete_group(&mut self, name: &str, force: bool, now: Timestamp) -> Result<(), ApiError> {
        self.existing_group(name)?;
        let members: Vec<String> = self.members(name).map(|(instance, _)| instance.id.clone()).collect();
        if !force && !members.is_empty() {
            return Err(ApiError::new(
                "ResourceInUse",
                "You cannot delete an AutoScalingGroup while there are instances or pending lifecycle actions still in the group.",
            ));
        }
        if members.is_empty() {
            self.groups.remove(name);
            return Ok(());
        }
        let group = self.group_mut(name)?;
        group.deleting = true;
        (group.min, group.desired) = (0, 0);
        let cause = cause(now, "a user request deleted the group");
        for id in members {
            self.begin_terminating(&id, &cause, Hooks::Skip, now);
        }
        Ok(())
    }
}
