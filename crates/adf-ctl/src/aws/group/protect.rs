//! Protection of members from scale-in.

use adf_types::InstanceId;

use super::super::error::failed;
use super::super::{Aws, AwsError};
use super::{list, strings};

impl Aws {
    /// Keeps at most 50 in-service members from being taken by scale-in, or no longer.
    pub async fn protect(&self, group: &str, ids: &[InstanceId], protected: bool) -> Result<(), AwsError> {
        let protect = self.autoscaling.set_instance_protection().auto_scaling_group_name(group);
        protect
            .set_instance_ids(Some(strings(ids)))
            .protected_from_scale_in(protected)
            .send()
            .await
            .map_err(failed("SetInstanceProtection", format!("{} of {group}", list(ids))))?;
        Ok(())
    }
}
