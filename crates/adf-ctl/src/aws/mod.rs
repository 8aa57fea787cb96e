//! AWS in our own words: the only folder that imports `aws-sdk-*`.
//!
//! Neighbours: `deploy` reads and changes groups, targets, templates and instances through it; `release`
//! puts archives; `init` creates what is missing. Nothing that leaves this folder is an SDK type.
//!
//! The rule: a function here is one call (or one paged read), names its operation in every error, and
//! decides nothing. To add a call: a function in the file of its noun, errors through [`error::failed`].

mod bucket;
mod cloudwatch;
mod console;
pub mod create;
mod error;
mod group;
mod identity;
mod images;
mod instances;
mod launches;
mod pace;
mod refresh;
mod rules;
mod targets;
mod template;

use aws_config::SdkConfig;

pub use bucket::ArchiveState;
pub use cloudwatch::{AlarmState, CountedGroup, RequestCounts, RequestMinutes};
pub use error::{AwsError, Call};
pub use group::{GroupState, Lifecycle, MemberState, TemplateVersion};
pub use images::ImageState;
pub use instances::{CanaryLaunch, MachineState};
pub use launches::FailedLaunch;
pub use pace::{GroupPace, HealthCheck, LaunchHook, TargetPace};
pub use refresh::{RefreshOrder, RefreshState, RefreshStatus};
pub use rules::SharedRule;
pub use targets::{TargetGroupState, TargetState};
pub use template::{TemplateLaunch, TemplateTags, VersionLaunch, VersionSummary};

/// The clients of one account and region.
#[derive(Debug, Clone)]
pub struct Aws {
    cloudwatch: aws_sdk_cloudwatch::Client,
    ec2: aws_sdk_ec2::Client,
    autoscaling: aws_sdk_autoscaling::Client,
    elb: aws_sdk_elasticloadbalancingv2::Client,
    s3: aws_sdk_s3::Client,
    sts: aws_sdk_sts::Client,
}

impl Aws {
    /// Makes the clients; no call is made yet.
    pub fn new(sdk: &SdkConfig) -> Self {
        Self {
            cloudwatch: aws_sdk_cloudwatch::Client::new(sdk),
            ec2: aws_sdk_ec2::Client::new(sdk),
            autoscaling: aws_sdk_autoscaling::Client::new(sdk),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(sdk),
            s3: bucket::client(sdk),
            sts: aws_sdk_sts::Client::new(sdk),
        }
    }
}
