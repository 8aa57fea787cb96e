//! What `adf-ctl init` makes: look first, create only what is missing, change nothing that is there.
//!
//! One file per thing; each `ensure_*` answers whether it created or found it.

mod group;
mod load_balancer;
mod target_group;
mod template;

use serde::Serialize;

pub use group::NewGroup;
pub use load_balancer::NewLoadBalancer;
pub use target_group::NewTargetGroup;
pub use template::NewTemplate;

/// Whether a thing was made now or was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Found {
    Created,
    Found,
}
