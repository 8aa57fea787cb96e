//! What somebody may do who only looks. Secrets stay sealed, so `verify` of an app that has some is not for a reader:
//! it compares the hash of the whole config.

use adf_store::Partition::{Base, History, Overlays, Receipts, Records, Version};

use super::scope::Scope;
use super::statement::Statement;
use super::tables::on;

pub(super) fn statements(scope: &Scope) -> Vec<Statement> {
    let fleet = ["autoscaling:DescribeAutoScalingGroups", "elasticloadbalancing:DescribeTargetHealth"];
    vec![
        on(scope, "ReadConfig", ["dynamodb:Query"], [Base, Overlays, History]),
        on(scope, "ReadConfigVersion", ["dynamodb:GetItem"], [Version]),
        on(scope, "ReadState", ["dynamodb:Query"], [Records, Receipts]),
        on(scope, "ReadRecords", ["dynamodb:GetItem"], [Records]),
        Statement::allow("SeeFleet", fleet).on_all(),
        scope.instances("ReadConsole", ["ec2:GetConsoleOutput"]),
    ]
}
