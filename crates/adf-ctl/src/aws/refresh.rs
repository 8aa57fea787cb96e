//! Instance refreshes: started, followed, turned back. Never one that somebody else started.

use std::time::Duration;

use aws_sdk_autoscaling::types::{
    DesiredConfiguration, InstanceRefresh, InstanceRefreshStatus, RefreshPreferences,
    ScaleInProtectedInstances, StandbyInstances,
};

use super::error::failed;
use super::group::template::Launches;
use super::{Aws, AwsError};

/// A group's latest instance refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshState {
    pub id: String,
    pub status: RefreshStatus,
    /// AWS's own word for the status.
    pub word: String,
    /// What it refreshes to, where it says so by number.
    pub template_version: Option<u64>,
    pub percent: u32,
    pub reason: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshStatus {
    /// Replacing instances, about to, or baking.
    Going,
    /// Cancelling or rolling back.
    Stopping,
    Successful,
    RolledBack,
    /// Failed or cancelled; the group may run two versions.
    Ended,
}

impl RefreshStatus {
    pub fn is_active(self) -> bool {
        matches!(self, Self::Going | Self::Stopping)
    }

    fn of(status: Option<&InstanceRefreshStatus>) -> Self {
        match status {
            Some(
                InstanceRefreshStatus::Pending
                | InstanceRefreshStatus::InProgress
                | InstanceRefreshStatus::Baking,
            ) => Self::Going,
            Some(InstanceRefreshStatus::Cancelling | InstanceRefreshStatus::RollbackInProgress) => {
                Self::Stopping
            }
            Some(InstanceRefreshStatus::Successful) => Self::Successful,
            Some(InstanceRefreshStatus::RollbackSuccessful) => Self::RolledBack,
            _ => Self::Ended,
        }
    }
}

/// How a refresh goes about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefreshOrder {
    pub template_version: u64,
    /// How many percent of the group may be there beyond its capacity; at 100 percent healthy at least, that is
    /// how many are launched at once.
    pub beyond_percent: u32,
    /// How long an instance is left to warm up after it is in service, which says nothing of the load balancer.
    pub warm_up: Duration,
    /// AWS rolls it back by itself when it fails.
    pub auto_rollback: bool,
    /// Percent of the group, ascending to 100, at each of which AWS waits for `checkpoint_delay`; empty for none.
    pub checkpoints: Vec<u32>,
    pub checkpoint_delay: Duration,
}

impl Aws {
    /// The group's latest refresh.
    pub async fn latest_refresh(&self, group: &str) -> Result<Option<RefreshState>, AwsError> {
        let describe = self.autoscaling.describe_instance_refreshes().auto_scaling_group_name(group);
        let answer =
            describe.max_records(1).send().await.map_err(failed("DescribeInstanceRefreshes", group))?;
        Ok(answer.instance_refreshes.unwrap_or_default().into_iter().next().map(state))
    }

    /// Starts a refresh and answers its id. A group of several instance types keeps them.
    pub async fn start_refresh(&self, group: &str, order: &RefreshOrder) -> Result<String, AwsError> {
        // Without a desired configuration there would be no way back, and a scale-out would start the old version.
        let desired = DesiredConfiguration::builder();
        let desired = match self.launches(group, order.template_version).await? {
            Launches::Template(template) => desired.launch_template(template),
            Launches::Mixed(policy) => desired.mixed_instances_policy(policy),
        };
        let start = self.autoscaling.start_instance_refresh().auto_scaling_group_name(group);
        let answer = start
            .desired_configuration(desired.build())
            .preferences(preferences(order))
            .send()
            .await
            .map_err(failed(
                "StartInstanceRefresh",
                format!("{group} to version {}", order.template_version),
            ))?;
        Ok(answer.instance_refresh_id.unwrap_or_default())
    }

    /// Lets the active refresh go back to where it began.
    pub async fn roll_back_refresh(&self, group: &str) -> Result<(), AwsError> {
        let back = self.autoscaling.rollback_instance_refresh().auto_scaling_group_name(group).send().await;
        back.map_err(failed("RollbackInstanceRefresh", group))?;
        Ok(())
    }
}

/// Everything that matters is said: what is not said is the group's instance maintenance policy's, or a default that
/// differs between console and API.
fn preferences(order: &RefreshOrder) -> RefreshPreferences {
    let seconds = |time: Duration| i32::try_from(time.as_secs()).unwrap_or(i32::MAX);
    let preferences = RefreshPreferences::builder()
        // Fewer healthy instances than capacity are never allowed. The maximum has to be said with it: without one AWS
        // terminates while it launches, and a group of one is down meanwhile; with one, even of 100, it launches first.
        .min_healthy_percentage(100)
        .max_healthy_percentage(i32::try_from(100 + order.beyond_percent.min(100)).unwrap_or(200))
        // The default would be the group's warm-up or its grace period, which are minutes where nobody set them.
        .instance_warmup(seconds(order.warm_up))
        // AWS compares template versions, and each release has its own: what matches was launched by this refresh, or
        // by one before it that a way back undoes.
        .skip_matching(true)
        .auto_rollback(order.auto_rollback)
        // Waiting for either, the default, would stall the refresh for an hour and then fail it. A protected instance
        // serves like any other, and has to be replaced. One in Standby serves nobody: somebody put it there, after
        // preflight had seen none, and it is theirs.
        .scale_in_protected_instances(ScaleInProtectedInstances::Refresh)
        .standby_instances(StandbyInstances::Ignore);
    // No bake time: the watch that follows is that. No alarms either: AWS would fail it on one that rings for a moment,
    // where the judge wants several looks.
    if order.checkpoints.is_empty() {
        // A delay without checkpoints is refused.
        return preferences.build();
    }
    let percentages = order.checkpoints.iter().filter_map(|percent| i32::try_from(*percent).ok()).collect();
    // Without a delay AWS waits for an hour.
    let preferences = preferences.set_checkpoint_percentages(Some(percentages));
    preferences.checkpoint_delay(seconds(order.checkpoint_delay)).build()
}

fn state(refresh: InstanceRefresh) -> RefreshState {
    let template = refresh.desired_configuration.and_then(|desired| {
        let mixed = desired.mixed_instances_policy.and_then(|policy| policy.launch_template);
        desired.launch_template.or_else(|| mixed?.launch_template_specification)
    });
    RefreshState {
        id: refresh.instance_refresh_id.unwrap_or_default(),
        status: RefreshStatus::of(refresh.status.as_ref()),
        word: refresh.status.map_or_else(|| "unknown".to_owned(), |s| s.as_str().to_owned()),
        template_version: template.and_then(|t| t.version?.parse().ok()),
        percent: refresh.percentage_complete.and_then(|p| u32::try_from(p).ok()).unwrap_or_default(),
        reason: refresh.status_reason,
    }
}
