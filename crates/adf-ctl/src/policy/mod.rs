//! The IAM policies of an app's roles: what each of them calls, on what is this app's, and nothing more.
//!
//! | file | what |
//! | --- | --- |
//! | `agent.rs`, `operator.rs`, `reader.rs` | the statements of a role |
//! | `tables.rs` | a statement about partitions of a table |
//! | `statement.rs` | a policy's form, as IAM reads it |
//! | `scope.rs` | what a policy is for: app, group, bucket, key |
//! | `place.rs` | account and region, and the ARNs of what is there |
//! | `value.rs` | what is typed for a policy, checked |
//!
//! Neighbours: `adf-store` knows the partitions; the calls themselves are in `adf-store`, in [`crate::aws`] and in
//! adf-agent's `world/`. Nothing here does I/O.
//!
//! The rule: whatever a role may do is done by a test, or stands there with the reason why it cannot be
//! (`tests/deploy/policy/`, adf-agent's `world/aws/tests.rs`). To add a call: its action in the role's file.

mod agent;
mod operator;
mod place;
mod reader;
mod scope;
mod statement;
mod tables;
mod value;

use clap::ValueEnum;

pub use place::Place;
pub use scope::Scope;
pub use statement::{Condition, Effect, Operator, Policy, Statement, VERSION};
pub use value::{Account, KmsKey};

/// Who is to have a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// The instances: reads config and releases, writes receipts
    Agent,
    /// People and CI jobs: deploys, releases, config with its secrets
    Operator,
    /// Whoever only looks: status, releases, config without its secrets, its history
    Reader,
}

/// What `role` needs for everything that `scope` names.
pub fn policy(role: Role, scope: &Scope) -> Policy {
    let statement = match role {
        Role::Agent => agent::statements(scope),
        Role::Operator => operator::statements(scope),
        Role::Reader => reader::statements(scope),
    };
    Policy { version: VERSION, statement }
}
