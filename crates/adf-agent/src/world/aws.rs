//! The AWS clients of an instance: credentials from the SDK's default chain, on EC2 those of its role.

use std::sync::Arc;

use adf_store::{Store, Tables};
use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region};

use super::fetch::Fetcher;
use super::lifecycle::AutoScaling;
use super::table::StoreTable;
use super::{Aws, Connect, TableNames};

pub(super) struct Sdk {
    pub(super) tables: TableNames,
}

#[async_trait]
impl Connect for Sdk {
    async fn connect(&self, region: &str) -> Aws {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .load()
            .await;
        let tables = Tables { config: self.tables.config.clone(), state: self.tables.state.clone() };
        let store = Store::connect(&config, tables);
        Aws {
            table: Arc::new(StoreTable(store)),
            fetch: Arc::new(Fetcher::new(aws_sdk_s3::Client::new(&config))),
            lifecycle: Arc::new(AutoScaling(aws_sdk_autoscaling::Client::new(&config))),
        }
    }
}
