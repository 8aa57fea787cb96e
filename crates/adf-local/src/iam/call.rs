//! A request as IAM sees it. One request may be several calls: each must be allowed.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;
use winterbaume_core::{MockRequest, default_account_id};

use super::{account, items};
use crate::cloud::Cloud;
use crate::cloudwatch;

/// One action on one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// `dynamodb:Query`
    pub action: String,
    /// An ARN, or `*` for what is confined to no resource.
    pub resource: String,
    /// Condition keys and their values.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} with {:?}", self.action, self.resource, self.keys)
    }
}

impl Call {
    pub fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), keys: BTreeMap::new() }
    }

    /// The same call with one more value of a condition key.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.keys.entry(key.into()).or_default().push(value.into());
        self
    }
}

/// What a signed request asks for.
pub(super) fn calls(cloud: &Cloud, service: &str, request: &MockRequest) -> Vec<Call> {
    let target = request.headers.get("x-amz-target").and_then(|v| v.to_str().ok());
    let operation = target.and_then(|target| target.rsplit_once('.')).map(|(_, operation)| operation);
    let json = || serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
    match (service, operation) {
        ("dynamodb", Some(operation)) => items::calls(cloud, operation, &json()),
        ("kms", Some(operation)) => vec![account::of_key(cloud, operation, &json())],
        // IAM's name of the service is not the one that requests are signed for.
        ("monitoring", _) => {
            let operation = cloudwatch::operation(request).unwrap_or_default();
            vec![Call::new(format!("cloudwatch:{operation}"), "*")]
        }
        ("s3", _) => vec![account::of_object(request)],
        // `GetCallerIdentity` needs no permission.
        ("sts", _) => Vec::new(),
        (service, Some(operation)) => vec![Call::new(format!("{service}:{operation}"), "*")],
        (service, None) => account::of_query(cloud, service, &request.body),
    }
}

/// `arn:aws:<service>:<region>:<account>:<resource>`
pub(super) fn arn(cloud: &Cloud, service: &str, resource: &str) -> String {
    format!("arn:aws:{service}:{}:{}:{resource}", cloud.region(), default_account_id())
}
