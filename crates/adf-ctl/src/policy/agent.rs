//! What an instance may do: read what it runs, say how it is, answer its group.
//!
//! The app on the instance is not trusted with it (docs/agent.md keeps it away from the role), but a role is on every
//! server: it writes no config, reads no history, and of the state table only what is its own to write.

use adf_store::Partition::{Base, Images, Overlays, Receipts, Records, Version};

use super::scope::Scope;
use super::statement::Statement;
use super::tables::on;

pub(super) fn statements(scope: &Scope) -> Vec<Statement> {
    let mut all = vec![
        on(scope, "ReadConfig", ["dynamodb:Query"], [Base, Overlays]),
        on(scope, "ReadConfigVersion", ["dynamodb:GetItem"], [Version]),
        on(scope, "ReadRelease", ["dynamodb:GetItem"], [Records, Images]),
        on(scope, "RecordImageAndReceipt", ["dynamodb:PutItem"], [Images, Receipts]),
        scope.secrets("OpenSecrets", ["kms:Decrypt"]),
    ];
    all.extend(
        scope.archives().map(|archives| Statement::allow("FetchRelease", ["s3:GetObject"]).on([archives])),
    );
    all.extend(group(scope));
    all.extend(images(scope));
    all
}

fn group(scope: &Scope) -> Vec<Statement> {
    let see = ["autoscaling:DescribeAutoScalingInstances", "autoscaling:DescribeLifecycleHooks"];
    let answer = ["autoscaling:CompleteLifecycleAction", "autoscaling:RecordLifecycleActionHeartbeat"];
    let mut all = vec![
        Statement::allow("SeeGroup", see).on_all(),
        Statement::allow("AnswerHook", answer).on([scope.group()]),
    ];
    if scope.replace_unhealthy {
        all.push(Statement::allow("ReportUnhealthy", ["autoscaling:SetInstanceHealth"]).on([scope.group()]));
    }
    all
}

/// Docker pulls and pushes with the login that the agent asks for.
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html>
fn images(scope: &Scope) -> Vec<Statement> {
    let Some(repository) = scope.repository() else { return Vec::new() };
    let pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];
    let push = ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"];
    vec![
        Statement::allow("LogInToRegistry", ["ecr:GetAuthorizationToken"]).on_all(),
        Statement::allow("PullImage", pull).on([repository.clone()]),
        Statement::allow("PushImage", push).on([repository]),
    ]
}
