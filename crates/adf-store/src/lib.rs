//! The config table and the state table in DynamoDB.
//!
//! Neighbours: reads `adf-types`; read by `adf-agent`, `adf-config` and `adf-ctl`. The rule: no other code
//! knows a key or an attribute of these tables. Reads are consistent, page to the end, and return
//! everything or fail.
//!
//! To add a kind of record: its sort key in [`keys`], a file of its own with the `impl Store` that reads
//! and writes it, and a test against `adf-local`.

mod config;
mod deploy;
mod error;
mod keys;
mod lock;
mod query;
mod receipt;
mod release;
mod tables;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;

pub use config::Entry;
pub use deploy::CurrentRelease;
pub use error::{Operation, StoreError};
pub use lock::{BEAT, LEASE, Lock, LockView};
pub use tables::Tables;

/// Both tables, through one client.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    tables: Tables,
}

impl Store {
    pub fn new(client: Client, tables: Tables) -> Self {
        Self { client, tables }
    }

    /// A store whose client survives throttling, see [`retries`].
    pub fn connect(sdk: &aws_types::SdkConfig, tables: Tables) -> Self {
        let config = Builder::from(sdk).retry_config(retries()).build();
        Self::new(Client::from_conf(config), tables)
    }

    pub fn tables(&self) -> &Tables {
        &self.tables
    }
}

/// Ten attempts with full jitter between 0.1 s and 20 s: at most about 80 s, within an instance's boot and
/// within an operator's patience. The SDK's own three attempts give up in under two seconds, before
/// on-demand tables have adapted.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(10)
        .with_initial_backoff(Duration::from_millis(100))
        .with_max_backoff(Duration::from_secs(20))
}
