//! What `adf-ctl` needs for everything but `init`, which makes what all of this is about.

use adf_store::Partition::{Base, History, Images, Overlays, Receipts, Records, Version};

use super::scope::Scope;
use super::statement::{Operator::StringEquals, Statement};
use super::tables::on;

pub(super) fn statements(scope: &Scope) -> Vec<Statement> {
    let mut all = config(scope);
    all.extend(state(scope));
    all.push(scope.secrets("SealAndOpenSecrets", ["kms:Decrypt", "kms:GenerateDataKey"]));
    let keep = |archives| Statement::allow("KeepArchives", ["s3:GetObject", "s3:PutObject"]).on([archives]);
    all.extend(scope.archives().map(keep));
    let find = |bucket| Statement::allow("FindArchives", ["s3:ListBucket"]).on([bucket]);
    all.extend(scope.archive_bucket().map(find));
    all.extend(fleet(scope));
    all.extend(canary(scope));
    all.extend(judge(scope));
    all
}

fn config(scope: &Scope) -> Vec<Statement> {
    let keep = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"];
    vec![
        // Few statements, because a managed policy holds 6,144 characters and an app's name may have 64.
        on(scope, "KeepConfig", keep, [Base, Overlays, History]),
        on(scope, "CountChange", ["dynamodb:GetItem", "dynamodb:UpdateItem"], [Version]),
    ]
}

fn state(scope: &Scope) -> Vec<Statement> {
    let keep = ["dynamodb:ConditionCheckItem", "dynamodb:PutItem", "dynamodb:UpdateItem"];
    vec![
        on(scope, "ReadState", ["dynamodb:GetItem", "dynamodb:Query"], [Records, Receipts, Images]),
        on(scope, "KeepRecords", keep, [Records]),
        on(scope, "RemoveReceipts", ["dynamodb:DeleteItem"], [Receipts]),
    ]
}

/// The fleet and its group.
fn fleet(scope: &Scope) -> Vec<Statement> {
    let see = [
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeInstanceRefreshes",
        "autoscaling:DescribeLifecycleHooks",
        "autoscaling:DescribeScalingActivities",
        "elasticloadbalancing:DescribeTargetGroupAttributes",
        "elasticloadbalancing:DescribeTargetGroups",
        "elasticloadbalancing:DescribeTargetHealth",
        "ec2:DescribeImages",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplateVersions",
    ];
    let change = [
        "autoscaling:EnterStandby",
        "autoscaling:ExitStandby",
        "autoscaling:RollbackInstanceRefresh",
        "autoscaling:SetDesiredCapacity",
        "autoscaling:SetInstanceProtection",
        "autoscaling:StartInstanceRefresh",
        "autoscaling:TerminateInstanceInAutoScalingGroup",
        "autoscaling:UpdateAutoScalingGroup",
    ];
    let template = ["ec2:CreateLaunchTemplateVersion", "ec2:DeleteLaunchTemplateVersions"];
    vec![
        Statement::allow("SeeFleet", see).on_all(),
        scope.instances("ReachInstances", ["ec2:GetConsoleOutput", "ec2:RebootInstances"]),
        Statement::allow("ChangeGroup", change).on([scope.group()]),
        // A template's ARN holds its id only.
        Statement::allow("MakeTemplateVersion", template).on([scope.ec2("launch-template")]),
    ]
}

/// A canary, and what else takes the right to launch: a group is only given a template whose instances the caller
/// could launch. <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-launch-template-permissions.html>
fn canary(scope: &Scope) -> Vec<Statement> {
    let app = || vec![scope.names.app.to_string()];
    let word = |word: &str| vec![word.to_owned()];
    let from = ["key-pair", "launch-template", "network-interface", "security-group", "subnet", "volume"];
    let from = from.map(|kind| scope.ec2(kind)).into_iter().chain([scope.place.images()]);
    let instances = || [scope.ec2("instance")];
    let mut all = vec![
        Statement::allow("LaunchTagged", ["ec2:RunInstances"]).on(instances()).when(
            StringEquals,
            "aws:RequestTag/adf:app",
            app(),
        ),
        Statement::allow("LaunchFrom", ["ec2:RunInstances"]).on(from),
        Statement::allow("TagAtLaunch", ["ec2:CreateTags"])
            .on([scope.ec2("instance"), scope.ec2("volume")])
            .when(StringEquals, "ec2:CreateAction", word("RunInstances")),
        Statement::allow("EndCanary", ["ec2:TerminateInstances"])
            .on(instances())
            .when(StringEquals, "aws:ResourceTag/adf:app", app())
            .when(StringEquals, "aws:ResourceTag/adf:role", word("canary")),
        Statement::allow("PassInstanceRole", ["iam:PassRole"])
            .on([scope.place.role(&scope.instance_role)])
            .when(StringEquals, "iam:PassedToService", vec![scope.place.ec2()]),
    ];
    let register = ["elasticloadbalancing:DeregisterTargets", "elasticloadbalancing:RegisterTargets"];
    all.extend(
        scope.canary_target_group().map(|group| Statement::allow("RegisterCanary", register).on([group])),
    );
    all
}

/// What a canary is judged on beside its receipt, and the requests that it gets for it.
fn judge(scope: &Scope) -> Vec<Statement> {
    let mut all = Vec::new();
    if scope.alarms {
        all.push(Statement::allow("SeeAlarms", ["cloudwatch:DescribeAlarms"]).on_all());
    }
    if scope.canary_target_group.is_some() {
        let see = [
            "cloudwatch:GetMetricData",
            "elasticloadbalancing:DescribeListeners",
            "elasticloadbalancing:DescribeRules",
        ];
        let share = ["elasticloadbalancing:ModifyListener", "elasticloadbalancing:ModifyRule"];
        all.push(Statement::allow("CountRequests", see).on_all());
        all.push(Statement::allow("ShareRequests", share).on([scope.listeners()]));
    }
    all
}
