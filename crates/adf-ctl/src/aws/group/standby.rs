//! Members out of service and back, or gone.

use adf_types::InstanceId;

use super::super::error::failed;
use super::super::{Aws, AwsError};
use super::{list, strings};

impl Aws {
    /// Takes at most 20 members out of service; desired capacity falls by as many.
    pub async fn enter_standby(&self, group: &str, ids: &[InstanceId]) -> Result<(), AwsError> {
        let enter = self.autoscaling.enter_standby().auto_scaling_group_name(group);
        enter
            .set_instance_ids(Some(strings(ids)))
            .should_decrement_desired_capacity(true)
            .send()
            .await
            .map_err(failed("EnterStandby", format!("{} of {group}", list(ids))))?;
        Ok(())
    }

    /// Puts at most 20 members back into service; desired capacity rises by as many.
    pub async fn exit_standby(&self, group: &str, ids: &[InstanceId]) -> Result<(), AwsError> {
        let exit = self.autoscaling.exit_standby().auto_scaling_group_name(group);
        exit.set_instance_ids(Some(strings(ids)))
            .send()
            .await
            .map_err(failed("ExitStandby", format!("{} of {group}", list(ids))))?;
        Ok(())
    }

    /// Terminates one member; with `decrement` the group does not replace it.
    pub async fn terminate_member(&self, id: &InstanceId, decrement: bool) -> Result<(), AwsError> {
        let terminate = self.autoscaling.terminate_instance_in_auto_scaling_group();
        terminate
            .instance_id(id.as_str())
            .should_decrement_desired_capacity(decrement)
            .send()
            .await
            .map_err(failed("TerminateInstanceInAutoScalingGroup", id))?;
        Ok(())
    }
}
