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
mod partition;
mod query;
mod receipt;
mod release;
mod retries;
mod secret;
mod tables;
mod usage;

use std::sync::Arc;

use aws_types::SdkConfig;

pub use config::{
    Action, Cleaned, ConfigVersion, EditBasis, Edits, Entry, LayerNames, Moment, OverlayPlan, Plan, Recorded,
    Seen, Swept, Then, ValueKeyed,
};
pub use deploy::CurrentRelease;
pub use error::{Operation, StoreError, Written};
pub use lock::{BEAT, LEASE, Lock, LockView};
pub use partition::Partition;
pub use retries::RETRIES;
pub use secret::Sealed;
pub use tables::Tables;
pub use usage::{Fence, Ignored, Usage, Use};

/// Who changes config, and why: recorded with every change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The identity that AWS knows the author by, an ARN.
    pub by: String,
    /// What the author says about it.
    pub why: Option<String>,
    /// Whether the author was told why not, and did it all the same.
    pub forced: bool,
}

impl Default for Signature {
    fn default() -> Self {
        Self { by: "unknown".to_owned(), why: None, forced: false }
    }
}

/// Both tables, and the KMS that opens the secrets in them.
#[derive(Debug, Clone)]
pub struct Store {
    client: aws_sdk_dynamodb::Client,
    kms: aws_sdk_kms::Client,
    tables: Tables,
    signature: Arc<Signature>,
}

impl Store {
    /// A store whose clients retry as `sdk` says.
    pub fn new(sdk: &SdkConfig, tables: Tables) -> Self {
        let config = aws_sdk_dynamodb::config::Builder::from(sdk).retry_classifier(retries::AlsoThrottled);
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        Self { client, kms: aws_sdk_kms::Client::new(sdk), tables, signature: Arc::default() }
    }

    /// A store whose clients survive throttling, see [`RETRIES`].
    pub fn connect(sdk: &SdkConfig, tables: Tables) -> Self {
        let patient = sdk.to_builder().retry_config(RETRIES.config()).build();
        Self::new(&patient, tables)
    }

    /// The same store, whose changes are this author's.
    #[must_use]
    pub fn signed(self, signature: Signature) -> Self {
        Self { signature: Arc::new(signature), ..self }
    }

    pub fn tables(&self) -> &Tables {
        &self.tables
    }
}
