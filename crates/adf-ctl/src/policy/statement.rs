//! A policy as IAM reads it.
//!
//! Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>

use std::collections::BTreeMap;

use serde::Serialize;

use crate::printer::Text;

/// The version of the policy language; not a date of ours.
pub const VERSION: &str = "2012-10-17";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    pub version: &'static str,
    pub statement: Vec<Statement>,
}

/// Some actions on some resources, under all of the conditions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    pub sid: &'static str,
    pub effect: Effect,
    pub action: Vec<&'static str>,
    /// ARNs, in which `*` stands for anything.
    pub resource: Vec<String>,
    #[serde(skip_serializing_if = "Condition::is_empty")]
    pub condition: Condition,
}

/// What nobody allows is denied, so a policy of ours only allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Effect {
    Allow,
}

/// For each operator the condition keys, and the values of which one must match.
pub type Condition = BTreeMap<Operator, BTreeMap<String, Vec<String>>>;

/// How values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Operator {
    StringEquals,
    /// `*` stands for anything.
    StringLike,
    /// For a key that has several values: each of them. True where there is none, so never for an action that
    /// may be called without the key, as `Scan` is without a partition.
    #[serde(rename = "ForAllValues:StringLike")]
    EachLike,
}

impl Statement {
    pub(super) fn allow<const N: usize>(sid: &'static str, action: [&'static str; N]) -> Self {
        Self {
            sid,
            effect: Effect::Allow,
            action: action.to_vec(),
            resource: Vec::new(),
            condition: Condition::new(),
        }
    }

    #[must_use]
    pub(super) fn on(mut self, resources: impl IntoIterator<Item = String>) -> Self {
        self.resource.extend(resources);
        self
    }

    /// For actions that AWS confines to no resource, see the "Service Authorization Reference".
    #[must_use]
    pub(super) fn on_all(self) -> Self {
        self.on(["*".to_owned()])
    }

    #[must_use]
    pub(super) fn when(mut self, operator: Operator, key: &str, values: Vec<String>) -> Self {
        self.condition.entry(operator).or_default().insert(key.to_owned(), values);
        self
    }
}

/// A policy is JSON in either format: it is read by AWS.
impl Text for Policy {
    fn text(&self) -> String {
        let text = serde_json::to_string_pretty(self).expect("a policy has string keys only");
        text + "\n"
    }
}
