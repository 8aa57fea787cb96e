//! The off-the-shelf tables without the copy of everything that they make after each call.
//!
//! The service tells whoever listens what its whole state is after every call, reads included, and copies it for that
//! even when nobody listens: a call would cost as much as the tables hold. Here the copy is empty, and everything else is
//! handed on. The rule: nobody of this crate listens.

use std::pin::Pin;

use winterbaume_dynamodb::types::{
    AttributeDefinition, Backup, ContinuousBackupsConfig, ContributorInsightsConfig, DynamoDbTag, ExportInfo,
    GlobalSecondaryIndexDef, GlobalTableInfo, ImportInfo, Item, KeySchemaElement,
    KinesisStreamingDestination, LocalSecondaryIndexDef, ProvisionedThroughput, ResourcePolicy,
    SortKeyCondition, StreamChangeRecord, StreamSummary, Table, TransactOp, TtlConfig, UpdateAction,
};
use winterbaume_dynamodb::{
    DynamoDbBackend, DynamoDbError, DynamodbStateView, InMemoryDynamoDbBackend, QueryResult, StateViewError,
};

/// What the service keeps its tables in.
pub(super) struct Quiet(InMemoryDynamoDbBackend);

impl Quiet {
    pub(super) fn new() -> Self {
        Self(InMemoryDynamoDbBackend::new())
    }
}

type Soon<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Each call as it is, for the account and the region that it names.
macro_rules! handed_on {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl DynamoDbBackend for Quiet {
            $(
                fn $name(&self, account_id: String, region: String, $($argument: $type),*) -> Soon<$answer> {
                    self.0.$name(account_id, region, $($argument),*)
                }
            )*

            fn scopes_with_state(&self) -> Vec<(String, String)> {
                self.0.scopes_with_state()
            }

            fn snapshot(&self, _: String, _: String) -> Soon<DynamodbStateView> {
                Box::pin(std::future::ready(DynamodbStateView::default()))
            }
        }
    };
}

handed_on! {
create_table(name: String, key_schema: Vec<KeySchemaElement>, attribute_definitions: Vec<AttributeDefinition>, billing_mode: Option<String>, provisioned_throughput: Option<ProvisionedThroughput>, stream_enabled: bool, stream_view_type: Option<String>, global_secondary_indexes: Vec<GlobalSecondaryIndexDef>, local_secondary_indexes: Vec<LocalSecondaryIndexDef>) -> Result<Table, DynamoDbError>;
delete_table(name: String) -> Result<Table, DynamoDbError>;
describe_table(name: String) -> Result<Table, DynamoDbError>;
list_tables() -> Result<Vec<String>, DynamoDbError>;
update_table(name: String, billing_mode: Option<String>, provisioned_throughput: Option<ProvisionedThroughput>) -> Result<Table, DynamoDbError>;
update_stream_specification(table_name: String, stream_enabled: bool, stream_view_type: Option<String>) -> Result<Table, DynamoDbError>;
list_streams(table_name: Option<String>) -> Result<Vec<StreamSummary>, DynamoDbError>;
describe_stream_by_arn(stream_arn: String) -> Result<StreamSummary, DynamoDbError>;
put_item(table_name: String, item: Item) -> Result<Option<Item>, DynamoDbError>;
get_item(table_name: String, key: Item) -> Result<Option<Item>, DynamoDbError>;
delete_item(table_name: String, key: Item) -> Result<Option<Item>, DynamoDbError>;
update_item(table_name: String, key: Item, actions: Vec<UpdateAction>) -> Result<Option<Item>, DynamoDbError>;
batch_get_item(table_name: String, keys: Vec<Item>) -> Result<Vec<Item>, DynamoDbError>;
batch_write_item(table_name: String, puts: Vec<Item>, deletes: Vec<Item>) -> Result<(), DynamoDbError>;
query(table_name: String, key_conditions: Item, sort_key_condition: Option<SortKeyCondition>, limit: Option<usize>, scan_index_forward: bool, exclusive_start_key: Option<Item>, index_name: Option<String>) -> Result<QueryResult, DynamoDbError>;
scan(table_name: String, limit: Option<usize>, exclusive_start_key: Option<Item>) -> Result<QueryResult, DynamoDbError>;
transact_get_items(keys: Vec<(String, Item)>) -> Result<Vec<Option<Item>>, DynamoDbError>;
transact_write_items(ops: Vec<TransactOp>) -> Result<(), DynamoDbError>;
create_backup(table_name: String, backup_name: String) -> Result<Backup, DynamoDbError>;
delete_backup(backup_arn: String) -> Result<Backup, DynamoDbError>;
describe_backup(backup_arn: String) -> Result<Backup, DynamoDbError>;
list_backups(table_name: Option<String>) -> Result<Vec<Backup>, DynamoDbError>;
restore_table_from_backup(backup_arn: String, target_table_name: String) -> Result<Table, DynamoDbError>;
restore_table_to_point_in_time(source_table_name: String, target_table_name: String) -> Result<Table, DynamoDbError>;
tag_resource(resource_arn: String, tags: Vec<DynamoDbTag>) -> Result<(), DynamoDbError>;
untag_resource(resource_arn: String, tag_keys: Vec<String>) -> Result<(), DynamoDbError>;
list_tags_of_resource(resource_arn: String) -> Result<Vec<DynamoDbTag>, DynamoDbError>;
update_time_to_live(table_name: String, attribute_name: String, enabled: bool) -> Result<TtlConfig, DynamoDbError>;
describe_time_to_live(table_name: String) -> Result<Option<TtlConfig>, DynamoDbError>;
update_continuous_backups(table_name: String, enabled: bool) -> Result<ContinuousBackupsConfig, DynamoDbError>;
describe_continuous_backups(table_name: String) -> Result<Option<ContinuousBackupsConfig>, DynamoDbError>;
put_resource_policy(resource_arn: String, policy: String) -> Result<String, DynamoDbError>;
get_resource_policy(resource_arn: String) -> Result<Option<ResourcePolicy>, DynamoDbError>;
delete_resource_policy(resource_arn: String) -> Result<String, DynamoDbError>;
create_global_table(global_table_name: String, replication_group: Vec<String>) -> Result<GlobalTableInfo, DynamoDbError>;
describe_global_table(global_table_name: String) -> Result<GlobalTableInfo, DynamoDbError>;
update_global_table(global_table_name: String, replicas_to_create: Vec<String>, replicas_to_delete: Vec<String>) -> Result<GlobalTableInfo, DynamoDbError>;
list_global_tables() -> Result<Vec<GlobalTableInfo>, DynamoDbError>;
enable_kinesis_streaming_destination(table_name: String, stream_arn: String, precision: Option<String>) -> Result<KinesisStreamingDestination, DynamoDbError>;
disable_kinesis_streaming_destination(table_name: String, stream_arn: String) -> Result<KinesisStreamingDestination, DynamoDbError>;
describe_kinesis_streaming_destinations(table_name: String) -> Result<Vec<KinesisStreamingDestination>, DynamoDbError>;
update_kinesis_streaming_destination(table_name: String, stream_arn: String, precision: Option<String>) -> Result<KinesisStreamingDestination, DynamoDbError>;
update_contributor_insights(table_name: String, index_name: Option<String>, mode: String) -> Result<ContributorInsightsConfig, DynamoDbError>;
describe_contributor_insights(table_name: String, index_name: Option<String>) -> Result<Option<ContributorInsightsConfig>, DynamoDbError>;
list_contributor_insights(table_name: Option<String>) -> Result<Vec<ContributorInsightsConfig>, DynamoDbError>;
export_table_to_point_in_time(table_arn: String, s3_bucket: Option<String>, s3_prefix: Option<String>, export_format: Option<String>) -> Result<ExportInfo, DynamoDbError>;
describe_export(export_arn: String) -> Result<ExportInfo, DynamoDbError>;
list_exports() -> Vec<ExportInfo>;
import_table(table_name: String, s3_bucket_source: Option<String>, input_format: Option<String>) -> ImportInfo;
describe_import(import_arn: String) -> Result<ImportInfo, DynamoDbError>;
list_imports() -> Vec<ImportInfo>;
get_stream_records(stream_arn: String, next_sequence_number: u64, limit: Option<usize>) -> Result<(Vec<StreamChangeRecord>, u64), DynamoDbError>;
restore(view: DynamodbStateView) -> Result<(), StateViewError>;
merge(view: DynamodbStateView) -> Result<(), StateViewError>;}
