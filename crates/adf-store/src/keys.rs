//! Every key of both tables.
//!
//! Config table: hash `App`, range `Name`. State table: hash `Pk`, range `Sk`. Names cannot hold `@` or
//! `#` ([`adf_types::AppName`]), so no key can be mistaken for another.

use std::collections::HashMap;

use adf_types::{AppName, DeployId, InstanceId, ReleaseName};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::Partition;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// The config table's hash key of a layer: `web` for Base, `web@v42` for an Overlay.
pub(crate) fn layer(app: &AppName, release: Option<&ReleaseName>) -> String {
    release.map_or_else(|| app.to_string(), |release| format!("{app}@{release}"))
}

pub(crate) fn config_key(layer: &str, name: &str) -> Item {
    HashMap::from([("App".to_owned(), text(layer)), ("Name".to_owned(), text(name))])
}

/// A record of the state table: where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StateKey {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

pub(crate) const RELEASE: &str = "release#";
pub(crate) const DEPLOY: &str = "deploy#";

/// Receipts have a partition of their own: a large fleet writes them all the time.
pub(crate) fn receipts(app: &AppName) -> String {
    Partition::Receipts.key(app)
}

impl StateKey {
    pub(crate) fn release(app: &AppName, release: &ReleaseName) -> Self {
        Self { pk: app.to_string(), sk: format!("{RELEASE}{release}") }
    }

    /// Images have a partition of their own, apart from what only operators write.
    pub(crate) fn image(app: &AppName, release: &ReleaseName) -> Self {
        Self { pk: Partition::Images.key(app), sk: release.to_string() }
    }

    pub(crate) fn deploy(app: &AppName, id: &DeployId) -> Self {
        Self { pk: app.to_string(), sk: format!("{DEPLOY}{id}") }
    }

    pub(crate) fn request(app: &AppName, id: &DeployId) -> Self {
        Self { pk: app.to_string(), sk: format!("request#{id}") }
    }

    pub(crate) fn current(app: &AppName) -> Self {
        Self { pk: app.to_string(), sk: "current".to_owned() }
    }

    pub(crate) fn lock(app: &AppName) -> Self {
        Self { pk: app.to_string(), sk: "lock".to_owned() }
    }

    pub(crate) fn receipt(app: &AppName, instance: &InstanceId) -> Self {
        Self { pk: receipts(app), sk: instance.to_string() }
    }

    pub(crate) fn item(&self) -> Item {
        HashMap::from([("Pk".to_owned(), text(&self.pk)), ("Sk".to_owned(), text(&self.sk))])
    }

    /// The key as a person reads it, for errors.
    pub(crate) fn display(&self) -> String {
        format!("{}/{}", self.pk, self.sk)
    }
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
