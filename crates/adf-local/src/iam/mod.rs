//! IAM: what a principal may do, decided as AWS decides it, so that a policy can be tried before it is in an account.
//!
//! | file | what |
//! | --- | --- |
//! | `policy.rs` | a policy's statements, and which of them allows a call |
//! | `pattern.rs` | the wildcards in it |
//! | `call.rs` | a request as IAM sees it: actions, resources, condition keys |
//! | `items.rs`, `account.rs` | the same for requests of DynamoDB; of KMS, S3, EC2 and what scales and balances it |
//!
//! Everybody may do everything until [`Cloud::restrict`] gives an access key a policy. Neighbours: `cloud` asks here
//! before it hands a request to its service.
//!
//! The rule: what is not understood is not allowed. A policy with an unknown operator is no policy, a request of an
//! unknown kind has no resource that a policy could name but `*`. Source:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>
//!
//! To add a call that AWS confines to resources: an arm in `account.rs`, as the "Service Authorization Reference" has it.

mod account;
mod call;
mod items;
mod pattern;
mod policy;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use winterbaume_core::{MockRequest, MockResponse, default_account_id};

use crate::cloud::Cloud;

pub use call::Call;
pub use policy::{Policy, PolicyError};

/// What was asked, and what of the policy allowed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub call: Call,
    /// As in [`Policy::grants`]; empty for a call that was denied.
    pub grants: BTreeSet<String>,
}

/// The principals that have a policy, by access key.
#[derive(Default)]
pub(crate) struct Iam(Mutex<BTreeMap<String, Principal>>);

struct Principal {
    policy: Policy,
    decisions: Vec<Decision>,
}

impl Iam {
    fn principal<R>(&self, access_key: &str, act: impl FnOnce(&mut Principal) -> R) -> Option<R> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get_mut(access_key).map(act)
    }

    /// The answer to a request that its signer may not make.
    pub(crate) fn refusal(
        &self,
        cloud: &Cloud,
        access_key: &str,
        service: &str,
        request: &MockRequest,
    ) -> Option<MockResponse> {
        let denied = self.principal(access_key, |principal| {
            let calls = call::calls(cloud, service, request);
            let decide = |call: Call| Decision { grants: principal.policy.allows(&call), call };
            let decisions: Vec<Decision> = calls.into_iter().map(decide).collect();
            let denied = decisions.iter().find(|decision| decision.grants.is_empty()).cloned();
            principal.decisions.extend(decisions);
            denied
        })??;
        let Call { action, resource, .. } = denied.call;
        let message = format!(
            "User: arn:aws:iam::{}:user/{access_key} is not authorized to perform: {action} on resource: \
             {resource} because no identity-based policy allows the {action} action",
            default_account_id()
        );
        Some(crate::wire::denial(service, request, &message))
    }
}

impl Cloud {
    /// From now on what is signed with this access key needs the leave of this policy.
    pub fn restrict(&self, access_key: &str, policy: Policy) {
        let principal = Principal { policy, decisions: Vec::new() };
        self.iam().0.lock().unwrap_or_else(PoisonError::into_inner).insert(access_key.to_owned(), principal);
    }

    /// What was decided about the calls of a restricted access key since the last look.
    pub fn take_decisions(&self, access_key: &str) -> Vec<Decision> {
        self.iam().principal(access_key, |p| std::mem::take(&mut p.decisions)).unwrap_or_default()
    }
}
