//! The rules that keep containers and build steps away from instance metadata, in our words.
//!
//! Whoever reaches 169.254.169.254 (or `fd00:ec2::254`) from this instance gets the credentials of its role (attack A7).
//! The agent itself needs them; the app and its Dockerfile must not have them. `nft.rs` is the real one. The rule:
//! what the host itself sends is untouched.

mod nft;

use async_trait::async_trait;

pub use nft::Nft;

use crate::failure::{Fault, Kind};

#[async_trait]
pub trait Guard: Send + Sync {
    /// Whether the rules are in force, exactly as they should be.
    async fn holds(&self) -> Result<bool, GuardError>;
    /// Puts the rules in force, in place of whatever is left of them.
    async fn raise(&self) -> Result<(), GuardError>;
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "E127 containers cannot be kept away from instance metadata: {0}; install nftables, \
     or set block_imds = false in agent.toml"
)]
pub struct GuardError(pub String);

impl Fault for GuardError {
    /// A program that is missing, or a kernel without the tables, does not come by waiting.
    fn kind(&self) -> Kind {
        Kind::Permanent
    }
}
