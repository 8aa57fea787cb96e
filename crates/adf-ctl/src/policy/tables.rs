//! Statements about partitions of the tables.

use adf_store::Partition;

use super::scope::Scope;
use super::statement::{Operator, Statement};

/// Calls on partitions that are all of one table.
///
/// `Scan` and `DescribeTable` name no partition: a statement with either would allow them for the whole table.
pub(super) fn on<const N: usize, const M: usize>(
    scope: &Scope,
    sid: &'static str,
    actions: [&'static str; N],
    partitions: [Partition; M],
) -> Statement {
    let mut tables: Vec<&str> = partitions.iter().map(|partition| partition.table(&scope.tables)).collect();
    tables.dedup();
    let keys = partitions.map(|partition| partition.key(&scope.names.app)).to_vec();
    Statement::allow(sid, actions)
        .on(tables.into_iter().map(|table| scope.place.arn("dynamodb", &format!("table/{table}"))))
        .when(Operator::EachLike, "dynamodb:LeadingKeys", keys)
}
