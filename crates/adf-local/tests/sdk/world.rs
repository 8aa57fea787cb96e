//! A cloud in virtual time with a group `web` of two, and the clients that call it.

use std::time::Duration;

use adf_local::cloud::Cloud;
use adf_local::model::Settings;
use aws_sdk_autoscaling::types::LaunchTemplateSpecification;
use aws_sdk_ec2::types::RequestLaunchTemplateData;
use jiff::Timestamp;

pub(crate) const GROUP: &str = "web";
pub(crate) const IMAGE: &str = "ami-0adf0000000000001";

pub(crate) struct World {
    pub(crate) cloud: Cloud,
    pub(crate) autoscaling: aws_sdk_autoscaling::Client,
    pub(crate) ec2: aws_sdk_ec2::Client,
    pub(crate) elb: aws_sdk_elasticloadbalancingv2::Client,
    pub(crate) cloudwatch: aws_sdk_cloudwatch::Client,
}

impl World {
    pub(crate) fn new(settings: Settings) -> Self {
        let start: Timestamp = "2026-11-23T06:00:00Z".parse().expect("a time");
        let settings = Settings { halt_limit: Duration::from_secs(1), ..settings };
        let cloud = Cloud::with_settings(settings, 3, start);
        let config = cloud.sdk_config();
        Self {
            autoscaling: aws_sdk_autoscaling::Client::new(&config),
            ec2: aws_sdk_ec2::Client::new(&config),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(&config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(&config),
            cloud,
        }
    }

    /// The template `web` with two versions, of which the second has another type.
    pub(crate) async fn template(&self) {
        let data = RequestLaunchTemplateData::builder().image_id(IMAGE).build();
        let first = self.ec2.create_launch_template().launch_template_name(GROUP).launch_template_data(data);
        first.send().await.expect("the name is free");
        let data = RequestLaunchTemplateData::builder().instance_type("t3.large".into()).build();
        let second = self.ec2.create_launch_template_version().launch_template_name(GROUP);
        second.source_version("1").launch_template_data(data).send().await.expect("version 1 exists");
    }

    /// The group `web` of version 1, in service.
    pub(crate) async fn group(&self, size: i32) {
        self.template().await;
        let create = self.autoscaling.create_auto_scaling_group().auto_scaling_group_name(GROUP);
        let create = create.min_size(0).max_size(size * 2).desired_capacity(size);
        let create = create
            .launch_template(version("1"))
            .set_availability_zones(Some(vec!["us-east-1a".to_owned(), "us-east-1b".to_owned()]));
        create.send().await.expect("a valid group");
        pass(10).await;
    }
}

pub(crate) fn version(number: &str) -> LaunchTemplateSpecification {
    LaunchTemplateSpecification::builder().launch_template_name(GROUP).version(number).build()
}

/// Lets virtual time pass.
pub(crate) async fn pass(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}
