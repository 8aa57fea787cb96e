//! A policy, and which of its statements allows a call.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::Deserialize;

use super::call::Call;
use super::pattern::{equal, like};

/// An identity-based policy that only allows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
pub struct Policy {
    #[serde(rename = "Version")]
    _version: Version,
    statement: Vec<Statement>,
}

/// Why a text is no policy that could be decided by.
#[derive(Debug, thiserror::Error)]
#[error("not a policy that adf-local understands")]
pub struct PolicyError(#[from] serde_json::Error);

/// The only one in which variables such as `${*}` mean something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Version {
    #[serde(rename = "2012-10-17")]
    V2012,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    sid: String,
    #[serde(rename = "Effect")]
    _effect: Effect,
    action: Vec<String>,
    resource: Vec<String>,
    #[serde(default)]
    condition: BTreeMap<Operator, BTreeMap<String, Vec<String>>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
enum Operator {
    StringEquals,
    StringLike,
    #[serde(rename = "ForAllValues:StringEquals")]
    EachEquals,
    #[serde(rename = "ForAllValues:StringLike")]
    EachLike,
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(json: &str) -> Result<Self, PolicyError> {
        Ok(serde_json::from_str(json)?)
    }
}

impl Policy {
    /// What of the policy allows the call; nothing when it is denied.
    pub fn allows(&self, call: &Call) -> BTreeSet<String> {
        self.statement.iter().filter_map(|statement| statement.allows(call)).flatten().collect()
    }

    /// Everything that the policy allows: for each statement `Sid action`, and where a condition lists values, one
    /// for each: `ReadConfig dynamodb:Query dynamodb:LeadingKeys=web@*`.
    pub fn grants(&self) -> BTreeSet<String> {
        self.statement.iter().flat_map(Statement::grants).collect()
    }
}

impl Statement {
    fn allows(&self, call: &Call) -> Option<BTreeSet<String>> {
        let action = self.action.iter().find(|action| like(action, &call.action))?;
        self.resource.iter().find(|resource| like(resource, &call.resource))?;
        let mut grants = BTreeSet::from([format!("{} {action}", self.sid)]);
        for (operator, key, patterns) in self.conditions() {
            for pattern in operator.matched(patterns, call.keys.get(key))? {
                grants.insert(format!("{} {action} {key}={pattern}", self.sid));
            }
        }
        Some(grants)
    }

    fn grants(&self) -> BTreeSet<String> {
        let mut grants = BTreeSet::new();
        for action in &self.action {
            grants.insert(format!("{} {action}", self.sid));
            for (_, key, patterns) in self.conditions() {
                grants.extend(patterns.iter().map(|p| format!("{} {action} {key}={p}", self.sid)));
            }
        }
        grants
    }

    fn conditions(&self) -> impl Iterator<Item = (Operator, &str, &[String])> {
        let all = self.condition.iter();
        all.flat_map(|(operator, keys)| {
            keys.iter().map(|(key, patterns)| (*operator, key.as_str(), patterns.as_slice()))
        })
    }
}

impl Operator {
    /// The patterns that the request's values match; `None` when the condition is not met. `ForAllValues` is met by
    /// a request without the key, the others are not.
    fn matched<'a>(self, patterns: &'a [String], values: Option<&Vec<String>>) -> Option<Vec<&'a String>> {
        let compare = match self {
            Self::StringEquals | Self::EachEquals => equal,
            Self::StringLike | Self::EachLike => like,
        };
        let for_all = matches!(self, Self::EachEquals | Self::EachLike);
        match values {
            None if for_all => Some(Vec::new()),
            // A single-valued operator is for keys of one value.
            Some(values) if for_all || values.len() == 1 => {
                values.iter().map(|value| patterns.iter().find(|pattern| compare(pattern, value))).collect()
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(condition: &str) -> Result<Policy, PolicyError> {
        let statement = format!(
            r#"{{"Sid": "S", "Effect": "Allow", "Action": ["d:Get", "d:Scan"], "Resource": ["t/*"], "Condition": {{{condition}}}}}"#
        );
        format!(r#"{{"Version": "2012-10-17", "Statement": [{statement}]}}"#).parse()
    }

    fn call(action: &str, keys: &[&str]) -> Call {
        let keys =
            (!keys.is_empty()).then(|| ("k".to_owned(), keys.iter().map(|k| (*k).to_owned()).collect()));
        Call { action: action.to_owned(), resource: "t/1".to_owned(), keys: keys.into_iter().collect() }
    }

    #[test]
    fn every_value_must_match_and_none_at_all_does() {
        let policy = policy(r#""ForAllValues:StringLike": {"k": ["web", "web@*"]}"#).expect("a policy");
        assert_eq!(policy.allows(&call("d:Get", &["web@v1"])).len(), 2);
        assert!(policy.allows(&call("d:Get", &["web", "shop"])).is_empty());
        assert!(!policy.allows(&call("d:Scan", &[])).is_empty(), "why Scan is not to be in such a statement");
        assert!(policy.allows(&call("d:Put", &["web"])).is_empty());
        assert_eq!(policy.grants().len(), 6);
    }

    #[test]
    fn a_single_value_that_is_absent_is_no_match() {
        let policy = policy(r#""StringEquals": {"k": ["web"]}"#).expect("a policy");
        assert!(!policy.allows(&call("d:Get", &["web"])).is_empty());
        for keys in [&[][..], &["web2"], &["web", "web"]] {
            assert!(policy.allows(&call("d:Get", keys)).is_empty(), "{keys:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_no_policy() {
        assert!(policy(r#""StringNotLike": {"k": ["web"]}"#).is_err());
        assert!(r#"{"Version": "2008-10-17", "Statement": []}"#.parse::<Policy>().is_err());
        let deny = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "S", "Effect": "Deny", "Action": [], "Resource": []}]}"#;
        assert!(deny.parse::<Policy>().is_err());
    }
}
