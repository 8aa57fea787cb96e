//! How a refresh goes about it, with AWS's defaults.

use std::time::Duration;

use crate::model::ApiError;

/// What happens to members that a refresh may not simply replace: protected from scale-in, or in Standby.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strays {
    /// The refresh waits an hour for them to become replaceable, then fails.
    Wait,
    /// They are left as they are.
    Ignore,
    /// They are replaced: AWS calls it `Refresh` for protected ones, `Terminate` for those in Standby.
    Replace,
}

/// Preferences; `Default` is what AWS takes when a request says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshPreferences {
    /// Per cent of desired that stays in service, healthy and warmed up.
    pub min_healthy: u32,
    /// Per cent of desired that there may be; absent is not 100: it means that new ones start when old ones end.
    pub max_healthy: Option<u32>,
    /// From `InService`; absent is the group's default warm-up, else its grace period.
    pub warmup: Option<Duration>,
    /// Per cent, ascending.
    pub checkpoints: Vec<u32>,
    pub checkpoint_delay: Duration,
    pub skip_matching: bool,
    pub auto_rollback: bool,
    pub protected: Strays,
    pub standby: Strays,
    pub bake: Duration,
    /// Names of alarms. What they do is told to the model by `Model::refresh_alarm`.
    pub alarms: Vec<String>,
}

impl Default for RefreshPreferences {
    fn default() -> Self {
        Self {
            min_healthy: 90,
            max_healthy: None,
            warmup: None,
            checkpoints: Vec::new(),
            checkpoint_delay: Duration::from_hours(1),
            skip_matching: false,
            auto_rollback: false,
            protected: Strays::Wait,
            standby: Strays::Wait,
            bake: Duration::ZERO,
            alarms: Vec::new(),
        }
    }
}

impl RefreshPreferences {
    pub(super) fn check(&self) -> Result<(), ApiError> {
        let refuse = |text: &str| Err(ApiError::validation(text));
        if self.min_healthy > 100 {
            return refuse("MinHealthyPercentage must be between 0 and 100");
        }
        if let Some(max) = self.max_healthy {
            if !(100..=200).contains(&max) {
                return refuse("MaxHealthyPercentage must be between 100 and 200");
            }
            if max - self.min_healthy > 100 {
                return refuse(
                    "The difference between MinHealthyPercentage and MaxHealthyPercentage cannot be greater than 100",
                );
            }
        }
        let ascending = self.checkpoints.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || self.checkpoints.iter().any(|percentage| !(1..=100).contains(percentage)) {
            return refuse("CheckpointPercentages must be in ascending order, each between 1 and 100");
        }
        let within = |time: Duration, hours: u64| time <= Duration::from_hours(hours);
        if !within(self.checkpoint_delay, 48) || !within(self.bake, 48) {
            return refuse("CheckpointDelay and BakeTime must be between 0 and 172800 seconds");
        }
        Ok(())
    }
}
