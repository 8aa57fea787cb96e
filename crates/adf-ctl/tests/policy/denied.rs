//! What no policy of an app allows.

use adf_ctl::policy::{Role, Scope, policy};
use adf_ctl::settings::AppNames;
use adf_local::iam::Call;

use crate::{ROLES, decider, json, scope};

/// Every call of DynamoDB that names a partition.
const ON_ITEMS: [&str; 9] = [
    "BatchGetItem",
    "BatchWriteItem",
    "ConditionCheckItem",
    "DeleteItem",
    "GetItem",
    "PartiQLSelect",
    "PutItem",
    "Query",
    "UpdateItem",
];

const WRITES: [&str; 3] = ["PutItem", "UpdateItem", "DeleteItem"];

fn on_item(action: &str, table: &str, key: &str) -> Call {
    let table = format!("arn:aws:dynamodb:us-east-1:123456789012:table/{table}");
    Call::new(format!("dynamodb:{action}"), table).with("dynamodb:LeadingKeys", key)
}

fn decrypt(app: &str) -> Call {
    let key = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    Call::new("kms:Decrypt", key).with("kms:EncryptionContext:App", app)
}

fn allowed(role: Role, call: &Call) -> bool {
    !decider(role).allows(call).is_empty()
}

#[test]
fn another_apps_items_are_out_of_reach_of_every_role() {
    let apps = ["shop", "webshop", "web2", "we", "xweb", "web-1", "web.1", "*"];
    let parts = ["", "@v1", "#version", "#history", "#images", "#receipts"];
    for (role, table) in ROLES.into_iter().flat_map(|role| ["adf-config", "adf-state"].map(|t| (role, t))) {
        for key in apps.iter().flat_map(|app| parts.map(|part| format!("{app}{part}"))) {
            for action in ON_ITEMS {
                let call = on_item(action, table, &key);
                assert!(!allowed(role, &call), "{role:?}: {call}");
                let both = call.with("dynamodb:LeadingKeys", "web");
                assert!(!allowed(role, &both), "{role:?}: {both}");
            }
        }
    }
}

#[test]
fn nobody_reads_or_changes_a_table_as_a_whole() {
    let whole = ["Scan", "DescribeTable", "DeleteTable", "UpdateTable", "ExportTableToPointInTime"];
    for (role, action) in ROLES.into_iter().flat_map(|role| whole.map(|action| (role, action))) {
        for table in ["adf-config", "adf-state", "adf-config/index/i"] {
            let table = format!("arn:aws:dynamodb:us-east-1:123456789012:table/{table}");
            assert!(!allowed(role, &Call::new(format!("dynamodb:{action}"), table)), "{role:?} {action}");
        }
    }
}

#[test]
fn an_instance_writes_no_config_reads_no_history_and_moves_no_release() {
    for key in ["web", "web@v1", "web#version", "web#history"] {
        for action in WRITES {
            let call = on_item(action, "adf-config", key);
            assert!(!allowed(Role::Agent, &call), "{call}");
        }
    }
    for action in ON_ITEMS {
        assert!(!allowed(Role::Agent, &on_item(action, "adf-config", "web#history")), "{action}");
        let reads = action == "GetItem";
        assert_eq!(allowed(Role::Agent, &on_item(action, "adf-state", "web")), reads, "{action}");
    }
    assert!(!allowed(Role::Agent, &on_item("DeleteItem", "adf-state", "web#receipts")));
    assert!(!allowed(Role::Agent, &Call::new("s3:PutObject", "arn:aws:s3:::releases/web/v1.tar.gz")));
}

#[test]
fn a_reader_writes_nothing_and_opens_no_secret() {
    for (table, keys) in [
        ("adf-config", ["web", "web@v1", "web#history", "web#version"]),
        ("adf-state", ["web", "web#receipts", "web#images", "web@v1"]),
    ] {
        for call in keys.iter().flat_map(|key| WRITES.map(|action| on_item(action, table, key))) {
            assert!(!allowed(Role::Reader, &call), "{call}");
        }
    }
    assert!(!allowed(Role::Reader, &decrypt("web")) && !allowed(Role::Reader, &decrypt("web@v1")));
}

#[test]
fn only_operators_write_and_trim_the_history() {
    for action in ["PutItem", "DeleteItem"] {
        let call = on_item(action, "adf-config", "web#history");
        assert!(allowed(Role::Operator, &call), "{action}");
        assert!(!allowed(Role::Agent, &call) && !allowed(Role::Reader, &call), "{action}");
    }
    assert!(!allowed(Role::Operator, &on_item("UpdateItem", "adf-config", "web#history")));
}

#[test]
fn another_apps_secrets_and_other_keys_open_nothing() {
    for role in [Role::Agent, Role::Operator] {
        assert!(
            allowed(role, &decrypt("web"))
                && allowed(role, &decrypt("web@v1").with("kms:EncryptionContext:Name", "A"))
        );
        for app in ["shop", "webshop", "web2@v1", "web#history", "*"] {
            assert!(!allowed(role, &decrypt(app)), "{role:?} {app}");
        }
        let without_context = Call { keys: std::collections::BTreeMap::default(), ..decrypt("web") };
        assert!(!allowed(role, &without_context), "what was encrypted without a context is nobody's");
        let resource = "arn:aws:kms:us-east-1:123456789012:key/other".to_owned();
        assert!(!allowed(role, &Call { resource, ..decrypt("web") }), "{role:?}");
    }
}

#[test]
fn another_apps_archives_group_targets_images_and_instances_are_not_touched() {
    let arn = |service: &str, of: &str| format!("arn:aws:{service}:us-east-1:123456789012:{of}");
    let group = |name: &str| arn("autoscaling", &format!("autoScalingGroup:1:autoScalingGroupName/{name}"));
    let targets = |name: &str| arn("elasticloadbalancing", &format!("targetgroup/{name}/1"));
    let launched = |app: &str| {
        Call::new("ec2:RunInstances", arn("ec2", "instance/i-1")).with("aws:RequestTag/adf:app", app)
    };
    let canary = |app: &str, role: &str| {
        let end = Call::new("ec2:TerminateInstances", arn("ec2", "instance/i-1"));
        end.with("aws:ResourceTag/adf:app", app).with("aws:ResourceTag/adf:role", role)
    };
    let passed = |role: &str, to: &str| {
        let role = format!("arn:aws:iam::123456789012:role/{role}");
        Call::new("iam:PassRole", role).with("iam:PassedToService", to)
    };
    for (role, ours, theirs) in [
        (Role::Agent, object("s3:GetObject", "web/v1"), object("s3:GetObject", "webshop/v1")),
        (Role::Operator, object("s3:PutObject", "web/v1"), object("s3:PutObject", "shop/v1")),
        (
            Role::Agent,
            Call::new("autoscaling:CompleteLifecycleAction", group("web")),
            Call::new("autoscaling:CompleteLifecycleAction", group("web2")),
        ),
        (
            Role::Agent,
            Call::new("ecr:PutImage", arn("ecr", "repository/web")),
            Call::new("ecr:PutImage", arn("ecr", "repository/web2")),
        ),
        (
            Role::Operator,
            Call::new("autoscaling:SetDesiredCapacity", group("web")),
            Call::new("autoscaling:SetDesiredCapacity", group("shop")),
        ),
        (
            Role::Operator,
            Call::new("elasticloadbalancing:RegisterTargets", targets("web-canary")),
            Call::new("elasticloadbalancing:RegisterTargets", targets("web2")),
        ),
        (
            Role::Operator,
            Call::new(
                "elasticloadbalancing:ModifyRule",
                arn("elasticloadbalancing", "listener-rule/app/web/1/2/3"),
            ),
            Call::new(
                "elasticloadbalancing:ModifyRule",
                arn("elasticloadbalancing", "loadbalancer/app/web/1"),
            ),
        ),
        (Role::Operator, launched("web"), launched("shop")),
        (Role::Operator, canary("web", "canary"), canary("shop", "canary")),
        (Role::Operator, canary("web", "canary"), canary("web", "fleet")),
        (Role::Operator, passed("web", "ec2.amazonaws.com"), passed("admin", "ec2.amazonaws.com")),
        (Role::Operator, passed("web", "ec2.amazonaws.com"), passed("web", "lambda.amazonaws.com")),
    ] {
        assert!(allowed(role, &ours), "{role:?}: {ours}");
        assert!(!allowed(role, &theirs), "{role:?}: {theirs}");
    }
}

fn object(action: &str, key: &str) -> Call {
    Call::new(action, format!("arn:aws:s3:::releases/{key}.tar.gz"))
}

#[test]
fn a_wildcard_in_a_groups_name_is_a_letter_of_it() {
    let names = AppNames { group: "web*".to_owned(), ..scope().names };
    let printed = json(&policy(Role::Operator, &Scope { names, ..scope() }));
    let policy: adf_local::iam::Policy = printed.parse().expect("a policy");
    for (name, is_ours) in [("web*", true), ("web2", false)] {
        let arn = format!(
            "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:1:autoScalingGroupName/{name}"
        );
        assert_eq!(!policy.allows(&Call::new("autoscaling:EnterStandby", arn)).is_empty(), is_ours, "{name}");
    }
}
