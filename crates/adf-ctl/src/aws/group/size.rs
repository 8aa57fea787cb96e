//! How many instances a group has, and may have.

use super::super::error::failed;
use super::super::{Aws, AwsError};

impl Aws {
    pub async fn set_desired(&self, group: &str, instances: u32) -> Result<(), AwsError> {
        let set = self.autoscaling.set_desired_capacity().auto_scaling_group_name(group);
        set.desired_capacity(i32::try_from(instances).unwrap_or(i32::MAX))
            .honor_cooldown(false)
            .send()
            .await
            .map_err(failed("SetDesiredCapacity", format!("{group} to {instances}")))?;
        Ok(())
    }

    /// The group's minimum size. One above desired capacity would raise that too.
    pub async fn set_min(&self, group: &str, instances: u32) -> Result<(), AwsError> {
        let update = self.autoscaling.update_auto_scaling_group().auto_scaling_group_name(group);
        let min = i32::try_from(instances).unwrap_or(i32::MAX);
        let target = format!("{group} to a minimum of {instances}");
        update.min_size(min).send().await.map_err(failed("UpdateAutoScalingGroup", target))?;
        Ok(())
    }

    /// The group's maximum size. One below desired capacity would lower that too.
    pub async fn set_max(&self, group: &str, instances: u32) -> Result<(), AwsError> {
        let update = self.autoscaling.update_auto_scaling_group().auto_scaling_group_name(group);
        let max = i32::try_from(instances).unwrap_or(i32::MAX);
        let target = format!("{group} to a maximum of {instances}");
        update.max_size(max).send().await.map_err(failed("UpdateAutoScalingGroup", target))?;
        Ok(())
    }
}
