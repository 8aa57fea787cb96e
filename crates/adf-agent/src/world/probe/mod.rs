//! The app itself, asked whether it is well; `net.rs` asks over HTTP or TCP.

mod net;

use std::net::SocketAddr;
use std::time::Duration;

use adf_types::ExpectedStatus;
use async_trait::async_trait;

pub(in crate::world) use net::NetProber;

/// Asks the app whether it is well.
#[async_trait]
pub trait Prober: Send + Sync {
    /// One probe; the error says what was seen instead, such as `503`.
    async fn probe(&self, target: &ProbeTarget, timeout: Duration) -> Result<(), String>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeTarget {
    Http { address: SocketAddr, path: String, status: ExpectedStatus },
    Tcp { address: SocketAddr },
}

impl std::fmt::Display for ProbeTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http { address, path, .. } => write!(f, "http://{address}{path}"),
            Self::Tcp { address } => write!(f, "tcp {address}"),
        }
    }
}
