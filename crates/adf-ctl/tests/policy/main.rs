//! The policies that `adf-ctl iam-policy` prints: as they are, and what they deny.
//!
//! That they allow enough, and no action without use, is proved where the calls are made: for operators and readers
//! in `tests/deploy/policy/`, for instances in adf-agent's `world/aws/tests.rs`, which reads the snapshot of here.

mod denied;
mod printed;

use adf_ctl::policy::{Place, Policy, Role, Scope, policy};
use adf_ctl::settings::AppNames;
use adf_store::Tables;

const ROLES: [Role; 3] = [Role::Agent, Role::Operator, Role::Reader];

/// The app `web` with everything that can be said.
fn scope() -> Scope {
    Scope {
        names: AppNames {
            app: "web".parse().expect("a name"),
            group: "web".to_owned(),
            template: "web".to_owned(),
            target_group: Some("web".to_owned()),
        },
        tables: Tables::default(),
        place: Place {
            region: Some("us-east-1".to_owned()),
            account: Some("123456789012".parse().expect("an account")),
        },
        bucket: Some("releases".to_owned()),
        kms_key: Some("1234abcd-12ab-34cd-56ef-1234567890ab".parse().expect("an id")),
        instance_role: "web".to_owned(),
        image_repository: Some("web".to_owned()),
        canary_target_group: Some("web-canary".to_owned()),
        alarms: true,
        replace_unhealthy: true,
    }
}

/// The same app with nothing said but its name.
fn bare() -> Scope {
    Scope {
        place: Place::default(),
        bucket: None,
        kms_key: None,
        image_repository: None,
        canary_target_group: None,
        alarms: false,
        replace_unhealthy: false,
        ..scope()
    }
}

fn json(policy: &Policy) -> String {
    adf_ctl::printer::Text::text(policy)
}

/// The policy as IAM would decide by it.
fn decider(role: Role) -> adf_local::iam::Policy {
    json(&policy(role, &scope())).parse().expect("a policy")
}
