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
use super::{Aws, Connect, Ecr, Fetch};
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

impl Aws {
    /// The real tables and the real group on a connection that is there already, beside downloads and a registry of
    /// the caller's: what a simulation gives to each of its instances.
    pub fn on(config: &SdkConfig, settings: &Settings, fetch: Arc<dyn Fetch>, ecr: Arc<dyn Ecr>) -> Self {
        let Settings { config_table, state_table, .. } = settings;
        let tables = Tables { config: config_table.clone(), state: state_table.clone() };
        Self {
            table: Arc::new(StoreTable::new(Store::connect(config, tables))),
            fetch,
            ecr,
            lifecycle: Arc::new(AutoScaling(aws_sdk_autoscaling::Client::new(config))),
        }
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
