//! An account as `init` leaves it, and the names that tests of whole deploys use.

use adf_ctl::aws::create::{NewGroup, NewLoadBalancer, NewTargetGroup, NewTemplate};
use adf_ctl::context::Context;
use adf_local::cloud::Cloud;
use adf_types::{AppName, ConfigName, Health, ReleaseName, ReleaseRecord};
use jiff::Timestamp;

pub(crate) fn app() -> AppName {
    "web".parse().expect("a valid name")
}

pub(crate) fn name(release: &str) -> ReleaseName {
    release.parse().expect("a valid name")
}

pub(crate) fn config_name(name: &str) -> ConfigName {
    name.parse().expect("a valid name")
}

/// A release whose archive or image is at this URL.
pub(crate) fn release_at(release: &str, url: &str) -> ReleaseRecord {
    ReleaseRecord {
        app: app(),
        release: name(release),
        url: url.parse().expect("a valid URL"),
        digest: None,
        tree: None,
        commit: None,
        config: adf_types::ConfigRules::default(),
        created_at: Timestamp::UNIX_EPOCH,
        created_by: "ann".to_owned(),
    }
}

/// An archive for each of these releases, where their records say.
pub(crate) async fn put_archives(context: &Context, releases: &[&str]) {
    context.aws.ensure_bucket("releases").await.expect("a bucket");
    for release in releases {
        let (key, bytes) = (format!("web/{release}.tar.gz"), release.as_bytes().to_vec());
        context.aws.upload("releases", &key, bytes, None).await.expect("an archive");
    }
}

/// Tables, target group, load balancer, template version 1 and an empty group for `capacity` instances. Answers
/// the template's id and the target group's ARN.
pub(crate) async fn found(
    cloud: &Cloud,
    context: &Context,
    capacity: u32,
    drain_seconds: u16,
) -> (String, String) {
    let (aws, app) = (&context.aws, app());
    context.store.create_tables().await.expect("tables");
    let subnets: Vec<String> = cloud.model(|model, _| {
        ["us-east-1a", "us-east-1b", "us-east-1c"]
            .iter()
            .filter_map(|zone| Some(model.network().subnet_of_zone(zone)?.id.clone()))
            .collect()
    });
    let vpc = aws.vpc_of(&subnets[0]).await.expect("a subnet's VPC");
    let target =
        NewTargetGroup { name: "web", port: 8080, vpc: &vpc, health: &Health::default(), drain_seconds };
    let (target_arn, _) = aws.ensure_target_group(&target).await.expect("target group");
    let balancer = NewLoadBalancer { name: "web", subnets: &subnets, security_groups: &[] };
    let (balancer_arn, _, _) = aws.ensure_load_balancer(&balancer).await.expect("load balancer");
    aws.ensure_listener(&balancer_arn, 80, &target_arn).await.expect("listener");
    let template = NewTemplate {
        name: "web",
        app: &app,
        image_id: "ami-0adf0000000000001",
        instance_type: "t3.small",
        security_groups: &[],
        instance_profile: Some("web"),
    };
    let (template_id, _) = aws.ensure_template(&template).await.expect("template");
    let group = NewGroup {
        name: "web",
        app: &app,
        template_id: &template_id,
        subnets: &subnets,
        target_group_arn: Some(&target_arn),
        capacity,
    };
    aws.ensure_group(&group).await.expect("group");
    (template_id, target_arn)
}
