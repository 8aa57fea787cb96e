//! The AWS clients of an instance: credentials from the SDK's default chain, on EC2 those of its role.
//!
//! What the role must allow is in adf-ctl's `policy/agent.rs`, because it is printed there; the tests here hold it
//! against what these clients call.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use adf_store::{Store, Tables};
use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region, SdkConfig};

use super::fetch::Fetcher;
use super::lifecycle::AutoScaling;
use super::registry::EcrClient;
use super::table::StoreTable;
use super::{Aws, Connect};
use crate::settings::Settings;

pub(super) struct Sdk {
    pub(super) settings: Settings,
}

#[async_trait]
impl Connect for Sdk {
    async fn connect(&self, region: &str) -> Aws {
        let config = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.to_owned()))
            .load()
            .await;
        clients(&config, &self.settings)
    }
}

/// The clients on a connection that is there already.
fn clients(config: &SdkConfig, settings: &Settings) -> Aws {
    let Settings { config_table, state_table, allowed_hosts, .. } = settings;
    let tables = Tables { config: config_table.clone(), state: state_table.clone() };
    let store = Store::connect(config, tables);
    Aws {
        table: Arc::new(StoreTable::new(store)),
        fetch: Arc::new(Fetcher::new(aws_sdk_s3::Client::new(config), allowed_hosts)),
        ecr: Arc::new(EcrClient(config.clone())),
        lifecycle: Arc::new(AutoScaling(aws_sdk_autoscaling::Client::new(config))),
    }
}
