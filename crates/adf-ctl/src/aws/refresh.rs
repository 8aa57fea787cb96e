//! Instance refreshes: started, followed, turned back. Never one that somebody else started.

use std::time::Duration;

use aws_sdk_autoscaling::types::{
    DesiredConfiguration, InstanceRefresh, InstanceRefreshStatus, LaunchTemplateSpecification,
    RefreshPreferences, ScaleInProtectedInstances, StandbyInstances,
};

use super::error::failed;
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
    pub template_id: String,
    pub template_version: u64,
    /// How many percent of the group may be there beyond its capacity; at 100 percent healthy at least, that is
    /// how many are launched at once.
    pub beyond_percent: u32,
    /// How long an instance is left to warm up after it is in service, which says nothing of the load balancer.
    pub warm_up: Duration,
    /// AWS may roll it back by itself when it fails.
    pub auto_rollback: bool,
}

impl Aws {
    /// The group's latest refresh.
    pub async fn latest_refresh(&self, group: &str) -> Result<Option<RefreshState>, AwsError> {
        let describe = self.autoscaling.describe_instance_refreshes().auto_scaling_group_name(group);
        let answer =
            describe.max_records(1).send().await.map_err(failed("DescribeInstanceRefreshes", group))?;
        Ok(answer.instance_refreshes.unwrap_or_default().into_iter().next().map(state))
    }

    /// Starts a refresh and answers its id. Fewer healthy instances than capacity are never allowed, so new ones
    /// are launched before old ones go, also in a group of one.
    pub async fn start_refresh(&self, group: &str, order: &RefreshOrder) -> Result<String, AwsError> {
        let template = LaunchTemplateSpecification::builder()
            .launch_template_id(&order.template_id)
            .version(order.template_version.to_string())
            .build();
        let preferences = RefreshPreferences::builder()
            .min_healthy_percentage(100)
            .max_healthy_percentage(i32::try_from(100 + order.beyond_percent.min(100)).unwrap_or(200))
            .instance_warmup(i32::try_from(order.warm_up.as_secs()).unwrap_or(i32::MAX))
            .skip_matching(true)
            .auto_rollback(order.auto_rollback)
            // Waiting for them would stall the refresh for an hour and then fail it.
            .scale_in_protected_instances(ScaleInProtectedInstances::Refresh)
            .standby_instances(StandbyInstances::Ignore)
            .build();
        let start = self.autoscaling.start_instance_refresh().auto_scaling_group_name(group);
        let answer = start
            .desired_configuration(DesiredConfiguration::builder().launch_template(template).build())
            .preferences(preferences)
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

fn state(refresh: InstanceRefresh) -> RefreshState {
    let template = refresh.desired_configuration.and_then(|d| d.launch_template);
    RefreshState {
        id: refresh.instance_refresh_id.unwrap_or_default(),
        status: RefreshStatus::of(refresh.status.as_ref()),
        word: refresh.status.map_or_else(|| "unknown".to_owned(), |s| s.as_str().to_owned()),
        template_version: template.and_then(|t| t.version?.parse().ok()),
        percent: refresh.percentage_complete.and_then(|p| u32::try_from(p).ok()).unwrap_or_default(),
        reason: refresh.status_reason,
    }
}
