//! Image registries: who we are to them, and what can be wrong with them. The images themselves move through Docker.
//!
//! | file | what |
//! | --- | --- |
//! | `keyring.rs` | user names and passwords from the secret `ADF_REGISTRY_AUTH` |
//! | `ecr_host.rs` | which hosts are Amazon's registries |
//! | `ecr.rs` | logging in to those with the instance's role |
//! | `error.rs` | Docker's words for what a registry said, in ours |

mod ecr;
mod ecr_host;
mod error;
mod keyring;

use async_trait::async_trait;

pub(in crate::world) use ecr::EcrClient;
pub use ecr_host::EcrHost;
pub use error::RegistryError;
pub use keyring::{Credentials, Keyring};

/// Amazon's registries.
#[async_trait]
pub trait Ecr: Send + Sync {
    /// A login for this registry that lasts for 12 hours.
    async fn login(&self, host: &EcrHost) -> Result<Credentials, RegistryError>;
}
