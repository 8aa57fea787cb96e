//! Launches of a group that failed, from its scaling activities.

use aws_sdk_autoscaling::types::ScalingActivityStatusCode;

use super::error::failed;
use super::{Aws, AwsError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedLaunch {
    /// The activity's id: AWS tries again, and each attempt has its own.
    pub id: String,
    /// AWS's words.
    pub message: String,
}

impl Aws {
    /// The failed launches among the group's latest 20 activities, newest first.
    pub async fn failed_launches(&self, group: &str) -> Result<Vec<FailedLaunch>, AwsError> {
        let describe = self.autoscaling.describe_scaling_activities().auto_scaling_group_name(group);
        let answer =
            describe.max_records(20).send().await.map_err(failed("DescribeScalingActivities", group))?;
        let failures = answer.activities.unwrap_or_default().into_iter().filter(|activity| {
            let launch = activity.description.as_deref().is_some_and(|d| d.starts_with("Launching"));
            launch && activity.status_code == Some(ScalingActivityStatusCode::Failed)
        });
        Ok(failures
            .filter_map(|a| Some(FailedLaunch { id: a.activity_id?, message: a.status_message? }))
            .collect())
    }
}
