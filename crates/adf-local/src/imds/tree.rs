//! What an instance can read about itself: a tree of names below `/latest/`, as EC2 spells them.
//!
//! A folder lists its names, one a line, folders with a `/`. To add a name: a line in its folder's table.
//! Source: "Instance metadata categories", EC2 user guide.

use jiff::Timestamp;
use serde_json::json;

use crate::model::groups::PoolState;
use crate::model::{Instance, LifecycleState};

/// A name's content.
enum Node {
    Text(String),
    Folder(Vec<(String, Node)>),
}

/// What `path`, below `/latest/`, holds; `None` is 404. `credentials` makes the role's document.
pub(super) fn read(
    instance: &Instance,
    account: &str,
    region: &str,
    path: &str,
    credentials: impl FnOnce() -> String,
) -> Option<Vec<u8>> {
    match path.trim_matches('/') {
        "user-data" => instance.user_data.clone(),
        "dynamic/instance-identity/document" => Some(identity(instance, account, region).into_bytes()),
        "" => Some(b"dynamic\nmeta-data\nuser-data".to_vec()),
        path if instance
            .iam_role
            .as_ref()
            .is_some_and(|role| path == format!("meta-data/iam/security-credentials/{role}")) =>
        {
            Some(credentials().into_bytes())
        }
        path => find(&meta_data(instance, account, region), path.strip_prefix("meta-data")?)
            .map(String::into_bytes),
    }
}

fn find(node: &Node, path: &str) -> Option<String> {
    let mut names = path.split('/').filter(|name| !name.is_empty());
    let node = names.try_fold(node, |node, name| match node {
        Node::Folder(nodes) => nodes.iter().find(|(known, _)| known == name).map(|(_, node)| node),
        Node::Text(_) => None,
    })?;
    match node {
        Node::Text(text) => Some(text.clone()),
        Node::Folder(nodes) => Some(listing(nodes)),
    }
}

fn listing(nodes: &[(String, Node)]) -> String {
    let line = |(name, node): &(String, Node)| match node {
        Node::Text(_) => name.clone(),
        Node::Folder(_) => format!("{name}/"),
    };
    nodes.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn meta_data(instance: &Instance, account: &str, region: &str) -> Node {
    let host = format!("ip-{}", instance.private_ip.to_string().replace('.', "-"));
    let mut nodes = vec![
        text("ami-id", &instance.image_id),
        text("hostname", &host),
        text("instance-id", &instance.id),
        text("instance-life-cycle", "on-demand"),
        text("instance-type", &instance.instance_type),
        text("local-hostname", &host),
        text("local-ipv4", &instance.private_ip.to_string()),
        folder("placement", vec![text("availability-zone", &instance.zone), text("region", region)]),
        text("reservation-id", &instance.reservation_id),
        folder("services", vec![text("domain", "amazonaws.com"), text("partition", "aws")]),
    ];
    nodes.extend(spot(instance));
    nodes.extend(
        target_lifecycle_state(instance)
            .map(|state| folder("autoscaling", vec![text("target-lifecycle-state", state)])),
    );
    nodes.extend(instance.iam_role.as_ref().map(|role| folder("iam", role_folder(instance, role, account))));
    if instance.metadata.tags_enabled {
        let tags = instance.tags.iter().map(|(key, value)| text(key, value)).collect();
        nodes.push(folder("tags", vec![folder("instance", tags)]));
    }
    nodes.sort_by(|a, b| a.0.cmp(&b.0));
    Node::Folder(nodes)
}

/// EC2's notices; most instances have none and then not even the folders.
fn spot(instance: &Instance) -> Vec<(String, Node)> {
    let seconds = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let recommended = instance.spot.rebalance.map(|at| {
        let notice = json!({ "noticeTime": seconds(at) }).to_string();
        folder("events", vec![folder("recommendations", vec![text("rebalance", &notice)])])
    });
    let interrupted = instance.spot.termination.map(|at| {
        let action = json!({ "action": "terminate", "time": seconds(at) }).to_string();
        folder("spot", vec![text("instance-action", &action), text("termination-time", &seconds(at))])
    });
    recommended.into_iter().chain(interrupted).collect()
}

fn role_folder(instance: &Instance, role: &str, account: &str) -> Vec<(String, Node)> {
    let info = json!({
        "Code": "Success",
        "LastUpdated": instance.launched_at.to_string(),
        "InstanceProfileArn": format!("arn:aws:iam::{account}:instance-profile/{role}"),
        "InstanceProfileId": "AIPALOCAL",
    });
    // The credentials themselves are made when they are read; here is only their name.
    vec![text("info", &format!("{info:#}")), folder("security-credentials", vec![text(role, "")])]
}

/// Where the group wants the instance to be; none for an instance of no group.
fn target_lifecycle_state(instance: &Instance) -> Option<&'static str> {
    let member = instance.membership()?;
    Some(match member.state {
        LifecycleState::Pending | LifecycleState::PendingWait | LifecycleState::PendingProceed
            if member.warm.is_some() =>
        {
            member.warm.map(PoolState::at_rest)?.name()
        }
        LifecycleState::Pending
        | LifecycleState::PendingWait
        | LifecycleState::PendingProceed
        | LifecycleState::InService => "InService",
        LifecycleState::EnteringStandby | LifecycleState::Standby => "Standby",
        LifecycleState::Detaching => "Detached",
        LifecycleState::Terminating
        | LifecycleState::TerminatingWait
        | LifecycleState::TerminatingProceed => "Terminated",
        warmed @ (LifecycleState::WarmedStopped
        | LifecycleState::WarmedRunning
        | LifecycleState::WarmedHibernated) => warmed.name(),
    })
}

fn identity(instance: &Instance, account: &str, region: &str) -> String {
    let document = json!({
        "accountId": account,
        "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" },
        "availabilityZone": instance.zone,
        "imageId": instance.image_id,
        "instanceId": instance.id,
        "instanceType": instance.instance_type,
        "pendingTime": instance.launched_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "privateIp": instance.private_ip.to_string(),
        "region": region,
        "version": "2017-09-30",
    });
    format!("{document:#}")
}

fn text(name: &str, value: &str) -> (String, Node) {
    (name.to_owned(), Node::Text(value.to_owned()))
}

fn folder(name: &str, nodes: Vec<(String, Node)>) -> (String, Node) {
    (name.to_owned(), Node::Folder(nodes))
}
