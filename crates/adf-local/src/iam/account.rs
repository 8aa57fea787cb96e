//! Requests of KMS, S3, EC2, Auto Scaling and Elastic Load Balancing: which resource, and the condition keys that
//! policies for ADF use.
//!
//! Source: the "Service Authorization Reference" of each service,
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/>

use std::collections::BTreeMap;

use serde_json::Value;
use winterbaume_core::{MockRequest, default_account_id, percent_decode};

use super::call::{Call, arn};
use crate::cloud::Cloud;
use crate::model::templates::LaunchData;

type Params = BTreeMap<String, String>;

/// A call of KMS. A ciphertext names its key where the request does not; IAM then sees a key that is not known here.
pub(super) fn of_key(cloud: &Cloud, operation: &str, body: &Value) -> Call {
    let resource = match body["KeyId"].as_str() {
        Some(key) if key.starts_with("arn:") => key.to_owned(),
        key => arn(cloud, "kms", &format!("key/{}", key.unwrap_or("of-the-ciphertext"))),
    };
    let context = body["EncryptionContext"].as_object().into_iter().flatten();
    context.fold(Call::new(format!("kms:{operation}"), resource), |call, (key, value)| {
        call.with(format!("kms:EncryptionContext:{key}"), value.as_str().unwrap_or_default())
    })
}

/// A call of S3, by method and path; the bucket is in the host's name, or first in the path.
pub(super) fn of_object(request: &MockRequest) -> Call {
    let uri = request.uri.split_once("://").map_or(request.uri.as_str(), |(_, rest)| rest);
    let uri = uri.split('?').next().unwrap_or_default();
    let (host, path) = uri.split_once('/').unwrap_or((uri, ""));
    let path = percent_decode(path);
    let (bucket, key) = match host.split_once(".s3.") {
        Some((bucket, _)) => (bucket.to_owned(), path),
        None => {
            path.split_once('/').map_or((path.clone(), String::new()), |(b, k)| (b.to_owned(), k.to_owned()))
        }
    };
    let action = match (request.method.as_str(), key.is_empty()) {
        ("GET" | "HEAD", false) => "GetObject",
        ("GET" | "HEAD", true) => "ListBucket",
        ("PUT", false) => "PutObject",
        ("PUT", true) => "CreateBucket",
        (other, _) => other,
    };
    let resource = if key.is_empty() { bucket } else { format!("{bucket}/{key}") };
    Call::new(format!("s3:{action}"), format!("arn:aws:s3:::{resource}"))
}

/// A call of a service that takes form-encoded parameters.
pub(super) fn of_query(cloud: &Cloud, service: &str, body: &[u8]) -> Vec<Call> {
    let params = url::form_urlencoded::parse(body).into_owned();
    // A desired configuration is a template given to a group like any other.
    let plain = |name: String| name.strip_prefix("DesiredConfiguration.").map_or(name.clone(), str::to_owned);
    let params: Params = params.map(|(name, value)| (plain(name), value)).collect();
    let action = params.get("Action").map_or("", String::as_str);
    let call = |resource: String| Call::new(format!("{service}:{action}"), resource);
    match (service, action) {
        (_, action) if action.starts_with("Describe") => vec![call("*".to_owned())],
        ("ec2", "RunInstances") => launch(cloud, &params),
        ("ec2", "TerminateInstances" | "RebootInstances") => {
            listed(&params, "InstanceId").into_iter().map(|id| of_instance(cloud, action, id)).collect()
        }
        ("ec2", "GetConsoleOutput") => {
            let id = params.get("InstanceId").map_or("", String::as_str);
            vec![of_instance(cloud, action, id)]
        }
        ("ec2", "CreateLaunchTemplateVersion" | "DeleteLaunchTemplateVersions") => {
            let id = params.get("LaunchTemplateId").map_or("", String::as_str);
            vec![call(arn(cloud, "ec2", &format!("launch-template/{id}")))]
        }
        // A group is given no template whose instances the caller could not launch.
        ("autoscaling", _) => {
            let of_group = call(group(cloud, &params));
            let given = params.contains_key("LaunchTemplate.LaunchTemplateId");
            let launch = given.then(|| launch(cloud, &params)).into_iter().flatten();
            std::iter::once(of_group).chain(launch).collect()
        }
        ("elasticloadbalancing", "RegisterTargets" | "DeregisterTargets") => {
            vec![call(params.get("TargetGroupArn").cloned().unwrap_or_default())]
        }
        _ => vec![call("*".to_owned())],
    }
}

/// What a launch from a template touches, the tags that it sets, and the role that it hands to the instance.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ExamplePolicies_EC2.html#iam-example-runinstances>
fn launch(cloud: &Cloud, params: &Params) -> Vec<Call> {
    let data = template(cloud, params);
    let run = |resource: String| Call::new("ec2:RunInstances", resource);
    let on = |kind: &str, id: &str| run(arn(cloud, "ec2", &format!("{kind}/{id}")));
    let of = |name: &str| params.get(name).map_or("any", String::as_str);
    let tags = data.tags_for("instance").into_iter().chain(request_tags(params));
    let tags: BTreeMap<String, String> = tags.collect();
    let tagging = arn(cloud, "ec2", "instance/new");
    let mut all = vec![
        on("launch-template", of("LaunchTemplate.LaunchTemplateId")),
        on("subnet", of("SubnetId")),
        on("network-interface", "new"),
        on("security-group", "any"),
        on("volume", "new"),
        run(format!("arn:aws:ec2:{}::image/{}", cloud.region(), data.image_id.as_deref().unwrap_or("any"))),
        Call::new("ec2:CreateTags", tagging).with("ec2:CreateAction", "RunInstances"),
    ];
    let instance = on("instance", "new");
    all.push(
        tags.iter().fold(instance, |call, (key, value)| call.with(format!("aws:RequestTag/{key}"), value)),
    );
    all.extend(data.key_name.as_deref().map(|key| on("key-pair", key)));
    all.extend(data.iam_profile_name.as_deref().map(pass_role));
    all
}

/// What the version of the launch template says.
fn template(cloud: &Cloud, params: &Params) -> LaunchData {
    let of = |name: &str| params.get(&format!("LaunchTemplate.{name}"));
    let version = of("Version").and_then(|version| version.parse().ok());
    let found = cloud.model(|model, _| {
        let template =
            model.launch_templates().find(|template| Some(&template.id) == of("LaunchTemplateId"))?;
        Some(template.versions.get(&version?)?.data.clone())
    });
    found.unwrap_or_default()
}

fn request_tags(params: &Params) -> impl Iterator<Item = (String, String)> {
    let keys = params.iter().filter(|(name, _)| name.starts_with("TagSpecification.1.Tag."));
    keys.filter_map(|(name, key)| {
        let value = params.get(&format!("{}.Value", name.strip_suffix(".Key")?))?;
        Some((key.clone(), value.clone()))
    })
}

fn pass_role(role: &str) -> Call {
    let role = format!("arn:aws:iam::{}:role/{role}", default_account_id());
    Call::new("iam:PassRole", role).with("iam:PassedToService", "ec2.amazonaws.com")
}

fn of_instance(cloud: &Cloud, action: &str, id: &str) -> Call {
    let call = Call::new(format!("ec2:{action}"), arn(cloud, "ec2", &format!("instance/{id}")));
    let tags = cloud.model(|model, _| model.instance(id).map(|i| i.tags.clone())).unwrap_or_default();
    tags.into_iter().fold(call, |call, (key, value)| call.with(format!("aws:ResourceTag/{key}"), value))
}

/// The group that is named, or that the instance is in.
fn group(cloud: &Cloud, params: &Params) -> String {
    let of_instance = || {
        let id = params.get("InstanceId")?;
        cloud.model(|model, _| Some(model.instance(id)?.group()?.to_owned()))
    };
    let name = params.get("AutoScalingGroupName").cloned().or_else(of_instance).unwrap_or_default();
    arn(cloud, "autoscaling", &format!("autoScalingGroup:0:autoScalingGroupName/{name}"))
}

fn listed<'a>(params: &'a Params, name: &str) -> Vec<&'a str> {
    (1..).map_while(|n| params.get(&format!("{name}.{n}"))).map(String::as_str).collect()
}
