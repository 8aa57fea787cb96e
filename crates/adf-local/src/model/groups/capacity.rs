//! `SetDesiredCapacity`.

use jiff::Timestamp;

use crate::model::{ApiError, Model};

impl Model {
    /// Sets desired within min and max; launches and terminations follow.
    pub fn set_desired_capacity(
        &mut self,
        name: &str,
        desired: u32,
        honor_cooldown: bool,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let group = self.group_mut(name)?;
        if desired > group.max {
            return Err(ApiError::validation(format!(
                "New SetDesiredCapacity value {desired} is above max value {} for the AutoScalingGroup.",
                group.max
            )));
        }
        if desired < group.min {
            return Err(ApiError::validation(format!(
                "New SetDesiredCapacity value {desired} is below min value {} for the AutoScalingGroup.",
                group.min
            )));
        }
        if honor_cooldown && group.cooldown_until.is_some_and(|until| now < until) {
            return Err(ApiError::new(
                "ScalingActivityInProgress",
                format!("Scaling activity is in progress for AutoScalingGroup {name} and it is in cooldown"),
            ));
        }
        group.desired = desired;
        self.reconcile_soon(name, now);
        Ok(())
    }
}
